"""Facts about a generator that its .tflite file carries, because the interpreter cannot show them."""

import dataclasses
import hashlib
import json
import struct
from pathlib import Path
from typing import Self

from ai_edge_litert import schema_py_generated as schema

METADATA_NAME = "CARTOONGAN_TF"  # of the entry in the file's metadata
_DAMAGE = (struct.error, ValueError, TypeError, IndexError, AttributeError)  # depends on the place of the damage


@dataclasses.dataclass(frozen=True)
class TFLiteFacts:
    """Facts about a generator.

    Attributes:
      keras_sha256: SHA-256 of the .keras file that it was converted from, in hexadecimal digits.
      values_per_pixel: as in `Runtime`.
      reach: number of pixels on each side on which a pixel of the cartoon depends; None: on the whole picture, as with
        instance norms.
    """

    keras_sha256: str
    values_per_pixel: float
    reach: int | None

    def to_bytes(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def read(cls, model: bytes) -> Self | None:
        """Read the facts from the contents of a .tflite file; None if it has none, or is damaged."""
        try:
            parts = schema.Model.GetRootAsModel(model, 0)
            entries = [parts.Metadata(index) for index in range(parts.MetadataLength())]
            buffers = [entry.Buffer() for entry in entries if entry.Name() == METADATA_NAME.encode()]
            return cls(**json.loads(parts.Buffers(buffers[0]).DataAsNumpy().tobytes())) if buffers else None
        except _DAMAGE:
            return None


def find_beside(keras_path: Path) -> Path | None:
    """Return the .tflite file beside a .keras file of the same name, if it was made of just that .keras file."""
    path = keras_path.with_suffix(".tflite")
    try:
        facts = TFLiteFacts.read(path.read_bytes())
        is_of_it = facts is not None and facts.keras_sha256 and facts.keras_sha256 == keras_sha256(keras_path)
    except OSError:
        return None
    return path if is_of_it else None


def keras_sha256(path: Path) -> str:
    """Return the SHA-256 of a .keras file, in hexadecimal digits; "" if there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
