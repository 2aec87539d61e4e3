"""Training records on disk: their schema, their writer and their parser.

A data folder holds `dataset.json` and shards of TFRecords of tf.train.Example, for "train" and for "validation":

    photos-train-00000.tfrecord    photo: PNG; source, box
    cartoons-train-00000.tfrecord  cartoon, smoothed: PNG; source, box

Every PNG is RGB of image_size x image_size pixels. `source` is the picture's path below its folder. `box` is the square
cut out of it: top, left and side, in the picture's pixels.
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
from data_pipeline.prepare import PARTS, PreparationConfig
from data_pipeline.squares import Square

DATASET_FILE = "dataset.json"
BUILD_COMMAND = "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir={}"
# A TFRecord: uint64 length, uint32 checksum of the length, data, uint32 checksum of the data.
_HEADER_BYTES = 12
_FOOTER_BYTES = 4


class RecordIndex:
    """The places of all records of a set, so that any record can be read by itself.

    Attributes:
      damage: error of the first damaged record that was read, or None.
    """

    def __init__(self, files: Sequence[str], table: np.ndarray):
        """
        Args:
          files: paths of the files.
          table: int64 [N, 4], for each record: its file, as an index into `files`; its number in the file; the offset
            and the length of its data, in bytes.
        """
        self._files = files
        self._table = table
        self.damage: InputError | None = None

    @classmethod
    def open(cls, sizes: dict[str, int]) -> "RecordIndex":
        """Read the headers of all records.

        Args:
          sizes: number of records in each file, by path.

        Raises:
          InputError: a file is missing, truncated or damaged.
        """
        rows = []
        for file_number, (file, size) in enumerate(sizes.items()):
            for number, (offset, length) in enumerate(record_spans(file, size)):
                rows.append((file_number, number, offset, length))
        return cls(tuple(sizes), np.array(rows, np.int64).reshape(-1, 4))

    def __len__(self) -> int:
        return len(self._table)

    def evenly_spaced(self, count: int) -> np.ndarray:
        """Return the indices of `count` evenly spaced records, or of all if there are fewer: int64 [N], increasing."""
        return np.unique(np.linspace(0, len(self) - 1, min(count, len(self))).round().astype(np.int64))

    def read(self, index: int) -> bytes:
        """Read the serialized tf.train.Example of one record.

        Raises:
          InputError: its checksum is wrong.
        """
        file_number, number, offset, length = self._table[index]
        path = self._files[file_number]
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read(length)
            footer = file.read(_FOOTER_BYTES)
        if footer != _masked_checksum(data):
            self.damage = self.damage or _damage(path, number)
            raise self.damage
        return data


@dataclasses.dataclass(frozen=True)
class Records:
    """One split of an opened data folder, "train" or "validation"; "validation" may be empty.

    Attributes:
      photos, cartoons: the records of each kind.
      image_size: side of the pictures, in pixels.
      smoothing: the smoothing that the cartoons' edges were smoothed with.
    """

    photos: RecordIndex
    cartoons: RecordIndex
    image_size: int
    smoothing: Smoothing


def encode_shard(examples: Iterable[dict[str, bytes | Sequence[int]]]) -> bytes:
    """Encode examples, each as features by name, into the content of a TFRecord file; always the same bytes."""
    return b"".join(_framed(_serialize(example)) for example in examples)


def _framed(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _masked_checksum(length) + data + _masked_checksum(data)


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
        preparation = PreparationConfig(**dataset["parameters"])
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{path}: damaged ({error!r}); build {data_dir} again, with --overwrite") from error
    return Records(
        photos=RecordIndex.open(sizes["photos"]),
        cartoons=RecordIndex.open(sizes["cartoons"]),
        image_size=preparation.image_size,
        smoothing=preparation.edge_smoothing(),
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


def record_spans(path: str, count: int) -> list[tuple[int, int]]:
    """Find the data of each record in a TFRecord file, from the headers alone.

    Args:
      path: path of the file.
      count: number of records that it should hold.

    Returns:
      (offset, length) of each record's data, in bytes.

    Raises:
      InputError: the file is missing, truncated or damaged.
    """
    spans: list[tuple[int, int]] = []
    position = 0
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
    """Return the CRC-32C of data as TFRecords store it: rotated and shifted, so that checksums can be checked too."""
    checksum = google_crc32c.value(data)
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _damage(path: str, record: int) -> InputError:
    return InputError(f"{path}: damaged or truncated at record {record}; delete it, and give the build command again")
