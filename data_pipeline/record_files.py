"""TFRecord files: how records are framed, and where each one lies. Knows nothing of what the records hold."""

import os
import struct
from collections.abc import Sequence

import google_crc32c
import numpy as np

from cartoongan_tf.base.errors import InputError

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


def framed(data: bytes) -> bytes:
    """Return the bytes of a record in a TFRecord file, from its data."""
    length = struct.pack("<Q", len(data))
    return length + _masked_checksum(length) + data + _masked_checksum(data)


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
