"""TensorFlow Lite's metadata, which tells tools and apps what a file takes and gives.

It is a flatbuffer of metadata_schema.fbs. The package with its Python classes needs an older protobuf than TensorFlow
2.21, so the few tables are built here.
"""

import dataclasses
from collections.abc import Sequence

import flatbuffers

from cartoongan_tf.inference.tflite_model import CARTOON, PHOTO

NAME = "TFLITE_METADATA"  # of the entry, which readers look for
_IDENTIFIER = b"M001"
_MIN_PARSER_VERSION = "1.0.0"
# Values of the schema's enum and unions.
_RGB = 1
_IMAGE_PROPERTIES = 2
_NORMALIZATION_OPTIONS = 1


@dataclasses.dataclass(frozen=True)
class Metadata:
    """The texts in a file's metadata.

    Attributes:
      keras_sha256: as in `TFLiteFacts`.
    """

    name: str
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    keras_sha256: str = ""


def build(metadata: Metadata, size: tuple[int, int] | None, is_uint8: bool) -> bytes:
    """Build a ModelMetadata table. Fields of tables are numbered as in the schema, here and below.

    Args:
      metadata: the texts.
      size: the only height and width that the file takes, in pixels; None: any.
      is_uint8: whether pictures are uint8 RGB; else they are float32 in [-1, 1].
    """
    builder = flatbuffers.Builder(1024)
    photo = _tensor(builder, PHOTO, "The photo: RGB, rows from top to bottom.", size, is_uint8)
    cartoon = _tensor(builder, CARTOON, "Its cartoon: RGB of the same size.", size, is_uint8)
    graph_fields = {
        2: _vector(builder, [photo]),  # input_tensor_metadata
        3: _vector(builder, [cartoon]),  # output_tensor_metadata
    }
    graph = _table(builder, 10, graph_fields)
    model_fields = {
        0: builder.CreateString(metadata.name),
        1: builder.CreateString(metadata.description),
        2: builder.CreateString(metadata.version),
        3: _vector(builder, [graph]),
        4: builder.CreateString(metadata.author),
        5: builder.CreateString(metadata.license),
        7: builder.CreateString(_MIN_PARSER_VERSION),
    }
    builder.Finish(_table(builder, 8, model_fields), _IDENTIFIER)
    return bytes(builder.Output())


def _tensor(builder: flatbuffers.Builder, name: str, description: str, size: tuple | None, is_uint8: bool) -> int:
    """Build a TensorMetadata table: a picture, its range, and the normalization of pixels in 0..255."""
    mean, std, low, high = (0.0, 1.0, 0.0, 255.0) if is_uint8 else (127.5, 127.5, -1.0, 1.0)
    dimensions = [builder.CreateString(dimension) for dimension in ("batch", "height", "width", "channel")]
    fields = {
        0: builder.CreateString(name),
        1: builder.CreateString(description),
        2: _vector(builder, dimensions),
        3: _image_content(builder, size),
        4: _vector(builder, [_normalization(builder, mean, std)]),
        5: _table(builder, 2, {0: _floats(builder, high), 1: _floats(builder, low)}),  # stats: max, min
    }
    return _table(builder, 7, fields)


def _image_content(builder: flatbuffers.Builder, size: tuple | None) -> int:
    default_size = {}
    if size:
        height, width = size
        default_size = {1: _table(builder, 2, {}, uint32={0: width, 1: height})}
    image = _table(builder, 2, default_size, uint8={0: _RGB})  # ImageProperties: color_space, default_size
    return _table(builder, 3, {1: image}, uint8={0: _IMAGE_PROPERTIES})


def _normalization(builder: flatbuffers.Builder, mean: float, std: float) -> int:
    options = _table(builder, 2, {0: _floats(builder, mean), 1: _floats(builder, std)})
    return _table(builder, 2, {1: options}, uint8={0: _NORMALIZATION_OPTIONS})


def _table(builder: flatbuffers.Builder, num_fields: int, tables: dict, uint8=(), uint32=()) -> int:
    """Build a table; fields of each type are given by number."""
    builder.StartObject(num_fields)
    for number, offset in tables.items():
        builder.PrependUOffsetTRelativeSlot(number, offset, 0)
    for number, value in dict(uint8).items():
        builder.PrependUint8Slot(number, value, 0)
    for number, value in dict(uint32).items():
        builder.PrependUint32Slot(number, value, 0)
    return builder.EndObject()


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _floats(builder: flatbuffers.Builder, value: float) -> int:
    """Build a vector of one number, which holds for all three channels."""
    builder.StartVector(4, 1, 4)
    builder.PrependFloat32(value)
    return builder.EndVector()
