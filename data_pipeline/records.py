"""Training records on disk: their schema, their writer and their parser.

A data folder holds `dataset.json` and shards of TFRecords of tf.train.Example, for "train" and for "validation":

    photos-train-00000.tfrecord    photo: PNG; with a teacher its drawing: PNG; with --faces: faces; source, box
    cartoons-train-00000.tfrecord  cartoon, smoothed: PNG; source, box

Every PNG is RGB of image_size x image_size pixels. `source` is the picture's path below its folder. `box` is the square
cut out of it: top, left and side, in the picture's pixels. `faces` are boxes in the PNG's pixels: top, left, bottom and
right of each, from 0 to image_size.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import build_config
from data_pipeline.edge_smoothing import Smoothing
from data_pipeline.prepare import DRAWING, FACES, PARTS, PreparationConfig
from data_pipeline.record_files import RecordIndex, framed
from data_pipeline.squares import Square

DATASET_FILE = "dataset.json"
BUILD_COMMAND = "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir={}"


@dataclasses.dataclass(frozen=True)
class Records:
    """One split of an opened data folder, "train" or "validation"; "validation" may be empty.

    Attributes:
      photos, cartoons: the records of each kind; there are no cartoons if they were built by a teacher alone.
      image_size: side of the pictures, in pixels.
      smoothing: the smoothing that the cartoons' edges were smoothed with.
      teacher: name of the teacher whose drawings the photos have; "" without one.
      has_faces: whether the faces in the photos are known.
    """

    photos: RecordIndex
    cartoons: RecordIndex
    image_size: int
    smoothing: Smoothing
    teacher: str = ""
    has_faces: bool = False


def encode_shard(examples: Iterable[dict[str, bytes | Sequence[int]]]) -> bytes:
    """Encode examples, each as features by name, into the content of a TFRecord file; always the same bytes."""
    return b"".join(framed(_serialize(example)) for example in examples)


def _serialize(example: dict[str, bytes | Sequence[int]]) -> bytes:
    features = tf.train.Features(feature={name: _feature(value) for name, value in example.items()})
    return tf.train.Example(features=features).SerializeToString(deterministic=True)


def _feature(value: bytes | Sequence[int]) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))


def parse_photo(serialized: tf.Tensor, image_size: int) -> tf.Tensor:
    """Parse a serialized photo example into uint8 RGB [image_size, image_size, 3]."""
    (photo,) = _parse(serialized, PARTS["photos"], image_size)
    return photo


def parse_drawn_photo(serialized: tf.Tensor, image_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Parse a serialized photo example into (photo, teacher's drawing), each uint8 RGB [image_size, image_size, 3]."""
    photo, drawing = _parse(serialized, (*PARTS["photos"], DRAWING), image_size)
    return photo, drawing


def parse_faces(serialized: tf.Tensor) -> tf.Tensor:
    """Parse the boxes of faces in a serialized photo example: top, left, bottom and right, int64 [N, 4]."""
    of_faces = tf.io.FixedLenSequenceFeature([4], tf.int64, allow_missing=True)
    return tf.io.parse_single_example(serialized, {FACES: of_faces})[FACES]


def parse_cartoon(serialized: tf.Tensor, image_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Parse a serialized cartoon example into (cartoon, smoothed), each uint8 RGB [image_size, image_size, 3]."""
    cartoon, smoothed = _parse(serialized, PARTS["cartoons"], image_size)
    return cartoon, smoothed


def _parse(serialized: tf.Tensor, names: Sequence[str], image_size: int) -> list[tf.Tensor]:
    example = tf.io.parse_single_example(serialized, {name: tf.io.FixedLenFeature([], tf.string) for name in names})
    images = [tf.io.decode_png(example[name], channels=3) for name in names]
    return [tf.ensure_shape(image, [image_size, image_size, 3]) for image in images]


def parse_origin(serialized: bytes) -> tuple[str, Square]:
    """Parse where an example comes from: the path of the picture below its folder, and the square cut out of it."""
    features = tf.train.Example.FromString(serialized).features.feature
    source = os.fsdecode(features["source"].bytes_list.value[0])
    return source, Square(*features["box"].int64_list.value)


def open_records(data_dir: str | os.PathLike, split: str = "train") -> Records:
    """Open a data folder that build_tfrecords wrote.

    Args:
      data_dir: the folder.
      split: "train", or "validation" for the pictures held out, which may be none.

    Raises:
      InputError: there are no records, and the message names the command that builds them; or a shard is missing or
        truncated.
    """
    dataset = read_dataset_file(data_dir)
    path = Path(data_dir) / DATASET_FILE
    sizes = {}
    try:
        for kind in PARTS:
            shards = dataset[kind][split]["shards"]
            sizes[kind] = {str(path.parent / shard["file"]): shard["examples"] for shard in shards}
        preparation = build_config(PreparationConfig, dataset["parameters"])
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{path}: damaged ({error!r}); build {data_dir} again, with --overwrite") from error
    return Records(
        photos=RecordIndex.open(sizes["photos"]),
        cartoons=RecordIndex.open(sizes["cartoons"]),
        image_size=preparation.image_size,
        smoothing=preparation.edge_smoothing(),
        teacher=preparation.teacher,
        has_faces=preparation.faces,
    )


def read_dataset_file(data_dir: str | os.PathLike) -> dict:
    """Read the dataset.json of a data folder, see `shards.describe_dataset`.

    Raises:
      InputError: there is none, and the message names the command that builds it; or it is damaged.
    """
    path = Path(data_dir) / DATASET_FILE
    if not path.is_file():
        raise InputError(
            f"{data_dir}: no training records there, or not finished ({DATASET_FILE} is missing). Build them from a "
            f"folder of photos and one of cartoon frames:\n    {BUILD_COMMAND.format(data_dir)}"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: damaged ({error}); build {data_dir} again, with --overwrite") from error
