"""Training records on disk: their schema, their writer and their parser.

A data folder holds `dataset.json` and shards of TFRecords of tf.train.Example, each set's in "train" and "validation":

    photos-train-00000.tfrecord    photo: PNG; source, box
    cartoons-train-00000.tfrecord  cartoon, smoothed: PNG; source, box

Every PNG is RGB of image_size x image_size pixels. `source` is the picture's path below the folder that was given,
`box` the square cut out of it: top, left and side, in its pixels.
"""

import dataclasses
import json
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import google_crc32c
import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline.edge_smoothing import Smoothing
from data_pipeline.prepare import PARTS, PreparationConfig, Square

DATASET_FILE = "dataset.json"
BUILD_COMMAND = "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir={}"
# Around the data of a TFRecord: uint64 length and uint32 checksum before it, uint32 checksum after it.
_HEADER_BYTES, _FOOTER_BYTES = 12, 4


class RecordIndex:
    """Where every record of a set lies, so that any one can be read alone.

    Attributes:
      damage: the error of the first damaged record that was read, if there was one.
    """

    def __init__(self, sizes: dict[str, int]):
        """
        Args:
          sizes: how many records each file holds, by its path.

        Raises:
          InputError: a file is missing, cut short or damaged.
        """
        self._files = tuple(sizes)
        spans = [
            (shard, *span)
            for shard, (file, size) in enumerate(sizes.items())
            for span in enumerate(_record_spans(file, size))
        ]
        self._shards, self._numbers = np.array([span[:2] for span in spans], np.int64).reshape(-1, 2).T
        self._offsets, self._lengths = np.array([span[2] for span in spans], np.int64).reshape(-1, 2).T
        self.damage: InputError | None = None

    def __len__(self) -> int:
        return len(self._offsets)

    def spread(self, count: int) -> np.ndarray:
        """`count` records from all over the set, or all of them if that is fewer: int64 [N], increasing."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))

    def read(self, index: int) -> bytes:
        """The serialized tf.train.Example of record `index`. Raises InputError: its checksum is wrong."""
        path = self._files[self._shards[index]]
        with open(path, "rb") as file:
            file.seek(self._offsets[index])
            data = file.read(self._lengths[index])
            footer = file.read(_FOOTER_BYTES)
        if footer != _masked_checksum(data):
            self.damage = self.damage or _damage(path, self._numbers[index])
            raise self.damage
        return data


@dataclasses.dataclass(frozen=True)
class Records:
    """One split of an opened data folder, "train" or "validation"; the latter may be empty.

    Attributes:
      photos, cartoons: its records.
      image_size: side of their pictures, in pixels.
      smoothing: of the cartoons' edges.
    """

    photos: RecordIndex
    cartoons: RecordIndex
    image_size: int
    smoothing: Smoothing


def encode_shard(examples: Iterable[dict[str, bytes | list[int]]]) -> bytes:
    """Features by name of each example -> the content of a TFRecord file; always the same bytes."""
    return b"".join(_framed(_serialize(example)) for example in examples)


def _framed(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked_checksum(length) + data + _masked_checksum(data)


def _serialize(example: dict[str, bytes | list[int]]) -> bytes:
    features = tf.train.Features(feature={name: _feature(value) for name, value in example.items()})
    return tf.train.Example(features=features).SerializeToString(deterministic=True)


def _feature(value: bytes | list[int]) -> tf.train.Feature:
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=value))


def parse_photo(serialized: tf.Tensor, image_size: int) -> tf.Tensor:
    """A serialized photo example -> uint8 RGB [image_size, image_size, 3]."""
    return _parse(serialized, PARTS["photos"], image_size)[0]


def parse_cartoon(serialized: tf.Tensor, image_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A serialized cartoon example -> (cartoon, smoothed), each uint8 RGB [image_size, image_size, 3]."""
    cartoon, smoothed = _parse(serialized, PARTS["cartoons"], image_size)
    return cartoon, smoothed


def _parse(serialized: tf.Tensor, names: Sequence[str], image_size: int) -> list[tf.Tensor]:
    example = tf.io.parse_single_example(serialized, {name: tf.io.FixedLenFeature([], tf.string) for name in names})
    images = [tf.io.decode_png(example[name], channels=3) for name in names]
    return [tf.ensure_shape(image, [image_size, image_size, 3]) for image in images]


def parse_origin(serialized: bytes) -> tuple[str, Square]:
    """The path of the picture that an example was cut out of, below the folder that was given, and the square."""
    features = tf.train.Example.FromString(serialized).features.feature
    return os.fsdecode(features["source"].bytes_list.value[0]), Square(*features["box"].int64_list.value)


def open_records(data_dir: str | os.PathLike, split: str = "train") -> Records:
    """Open a data folder that build_tfrecords wrote.

    Args:
      data_dir: the folder.
      split: "train", or "validation": what was held out, which may be nothing.

    Raises:
      InputError: there is none, with the command that builds it; or a shard is missing or cut short.
    """
    dataset = read_dataset_file(data_dir)
    path = Path(data_dir) / DATASET_FILE
    try:
        sizes = {
            kind: {str(path.parent / shard["file"]): shard["examples"] for shard in dataset[kind][split]["shards"]}
            for kind in PARTS
        }
        preparation = PreparationConfig(**dataset["parameters"])
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{path}: damaged ({error!r}); build {data_dir} anew, by --overwrite") from error
    indices = {kind: RecordIndex(files) for kind, files in sizes.items()}
    return Records(**indices, image_size=preparation.image_size, smoothing=preparation.edge_smoothing())


def read_dataset_file(data_dir: str | os.PathLike) -> dict:
    """The content of a data folder's dataset.json: `shards.describe_dataset`.

    Raises:
      InputError: there is none, with the command that builds it; or it is damaged.
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
        raise InputError(f"{path}: damaged ({error}); build {data_dir} anew, by --overwrite") from error


def _record_spans(path: str, count: int) -> list[tuple[int, int]]:
    """The (offset, length) of the data of each of `count` records in a TFRecord file, read from the headers alone."""
    spans, position = [], 0
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            while position < size:
                header = file.read(_HEADER_BYTES)
                if header[8:] != _masked_checksum(header[:8]):
                    raise _damage(path, len(spans))
                (length,) = struct.unpack("<Q", header[:8])
                spans.append((position + _HEADER_BYTES, length))
                position += _HEADER_BYTES + length + _FOOTER_BYTES
                file.seek(min(position, size))
    except FileNotFoundError:
        raise InputError(f"{path}: the shard is missing; give the build command again") from None
    if position != size:
        raise _damage(path, len(spans) - 1)
    if len(spans) != count:
        raise _damage(path, min(len(spans), count))
    return spans


def _masked_checksum(data: bytes) -> bytes:
    """What a TFRecord keeps of its data: CRC-32C, rotated and shifted, so that a file of checksums can be checked."""
    checksum = google_crc32c.value(data)
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _damage(path: str, record: int) -> InputError:
    return InputError(f"{path}: damaged or cut short at record {record}; delete it, and give the build command again")
