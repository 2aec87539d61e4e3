"""Training records on disk: their schema, their writer and their parser.

A data folder holds `dataset.json` and shards of TFRecords of tf.train.Example:

    photos-00000.tfrecord    photo: PNG; source: the picture's path
    cartoons-00000.tfrecord  cartoon, smoothed: PNG; source

Every PNG is RGB of image_size x image_size pixels.
"""

import dataclasses
import json
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from cartoongan_tf.errors import InputError
from data_pipeline.prepare import CARTOON_PARTS, PHOTO_PARTS

DATASET_FILE = "dataset.json"
BUILD_COMMAND = "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir={}"
_HEADER_BYTES, _FOOTER_BYTES = (
    12,
    4,
)  # of a TFRecord: uint64 length and its CRC before the data, a CRC after it


@dataclasses.dataclass(frozen=True)
class RecordIndex:
    """Where every record of a set lies, so that any one can be read alone.

    Attributes:
      files: the shards.
      shards: int64 [N], each record's position in `files`.
      offsets, lengths: int64 [N], in bytes.
    """

    files: tuple[str, ...]
    shards: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, index: int) -> bytes:
        """The serialized tf.train.Example of record `index`."""
        with open(self.files[self.shards[index]], "rb") as file:
            file.seek(self.offsets[index])
            return file.read(self.lengths[index])


@dataclasses.dataclass(frozen=True)
class Records:
    """An opened data folder."""

    photos: RecordIndex
    cartoons: RecordIndex
    image_size: int


def write_shards(folder: Path, name: str, examples: Iterable[dict[str, bytes]], examples_per_shard: int) -> list[str]:
    """Write examples in their order to shards NAME-00000.tfrecord ...

    Args:
      folder: exists already.
      name: "photos" or "cartoons".
      examples: bytes by feature name.
      examples_per_shard: the last shard may have fewer.

    Returns:
      the shards' file names.
    """
    files, writer = [], None
    for count, example in enumerate(examples):
        if count % examples_per_shard == 0:
            if writer:
                writer.close()
            files.append(f"{name}-{len(files):05}.tfrecord")
            writer = tf.io.TFRecordWriter(str(folder / files[-1]))
        writer.write(_serialize(example))
    if writer:
        writer.close()
    return files


def _serialize(example: dict[str, bytes]) -> bytes:
    features = {name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value])) for name, value in example.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def parse_photo(serialized: tf.Tensor, image_size: int) -> tf.Tensor:
    """A serialized photo example -> uint8 RGB [image_size, image_size, 3]."""
    return _parse(serialized, PHOTO_PARTS, image_size)[0]


def parse_cartoon(serialized: tf.Tensor, image_size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """A serialized cartoon example -> (cartoon, smoothed), each uint8 RGB [image_size, image_size, 3]."""
    cartoon, smoothed = _parse(serialized, CARTOON_PARTS, image_size)
    return cartoon, smoothed


def _parse(serialized: tf.Tensor, names: Sequence[str], image_size: int) -> list[tf.Tensor]:
    example = tf.io.parse_single_example(serialized, {name: tf.io.FixedLenFeature([], tf.string) for name in names})
    images = [tf.io.decode_png(example[name], channels=3) for name in names]
    return [tf.ensure_shape(image, [image_size, image_size, 3]) for image in images]


def open_records(data_dir: str | os.PathLike) -> Records:
    """Open a data folder that build_tfrecords wrote.

    Raises:
      InputError: there is none, with the command that builds it; or a shard is missing or cut short.
    """
    path = Path(data_dir) / DATASET_FILE
    if not path.is_file():
        raise InputError(
            f"{data_dir}: no training records there ({DATASET_FILE} is missing). Build them from a folder of photos "
            f"and one of cartoon frames:\n    {BUILD_COMMAND.format(data_dir)}"
        )
    try:
        dataset = json.loads(path.read_text(encoding="utf-8"))
        photos, cartoons, image_size = (dataset[key] for key in ("photos", "cartoons", "image_size"))
        return Records(_index(path.parent, photos["shards"]), _index(path.parent, cartoons["shards"]), image_size)
    except InputError:
        raise
    except (ValueError, OverflowError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error!r}); delete {data_dir} and build it again") from error


def _index(folder: Path, names: Sequence[str]) -> RecordIndex:
    files = tuple(str(folder / name) for name in names)
    spans = [(shard, *span) for shard, file in enumerate(files) for span in _record_spans(file)]
    shards, offsets, lengths = np.array(spans, np.int64).T
    return RecordIndex(files, shards, offsets, lengths)


def _record_spans(path: str) -> list[tuple[int, int]]:
    """The (offset, length) of each record's data in a TFRecord file, read from the lengths alone."""
    spans, position = [], 0
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            while position < size:
                header = file.read(_HEADER_BYTES)
                length = struct.unpack("<Q", header[:8])[0] if len(header) == _HEADER_BYTES else size
                spans.append((position + _HEADER_BYTES, length))
                position += _HEADER_BYTES + length + _FOOTER_BYTES
                file.seek(min(position, size))
    except FileNotFoundError:
        raise InputError(f"{path}: the shard is missing; delete the folder and build it again") from None
    if position != size:
        raise InputError(
            f"{path}: cut short or damaged in record {len(spans) - 1}; delete the folder and build it again"
        )
    return spans
