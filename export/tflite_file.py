"""Parts of a .tflite file that the converter does not write: a signature, a first size and metadata for tools.

The metadata has TensorFlow Lite's own format: a flatbuffer of its metadata_schema.fbs, in a buffer of the file. The
package with its Python classes needs an older protobuf than TensorFlow 2.21, so the few tables are built here.
"""

import dataclasses
from collections.abc import Sequence

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from cartoongan_tf.inference import tflite_facts
from cartoongan_tf.inference.tflite_facts import TFLiteFacts

SIGNATURE = "serving_default"
PHOTO = "photo"
CARTOON = "cartoon"
METADATA_NAME = "TFLITE_METADATA"  # the name that readers look for
_MODEL_IDENTIFIER = b"TFL3"
_METADATA_IDENTIFIER = b"M001"
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


def completed(model: bytes, metadata: Metadata, facts: TFLiteFacts, first_size: tuple[int, int] | None = None) -> bytes:
    """Add metadata to a model, and a signature with the input `photo` and the output `cartoon`.

    Args:
      model: contents of a file from the converter, with one input and one output, uint8 or float32 RGB [N, H, W, 3].
      metadata: the metadata to add.
      facts: the facts to add.
      first_size: for a model that takes any size, the height and width that it has before an app asks for others. The
        converter sets 1 x 1 pixels, which fail. None: the model has a fixed size.
    """
    parts = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    (graph,) = parts.subgraphs
    photo = graph.tensors[graph.inputs[0]]
    if first_size:
        photo.shape = [1, *first_size, 3]
    parts.signatureDefs = [_signature(graph)]
    size = None if first_size else (int(photo.shape[1]), int(photo.shape[2]))
    is_uint8 = photo.type == schema.TensorType.UINT8
    _attach(parts, METADATA_NAME, _metadata_buffer(metadata, size, is_uint8))
    _attach(parts, tflite_facts.METADATA_NAME, facts.to_bytes())
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(parts.Pack(builder), _MODEL_IDENTIFIER)
    return bytes(builder.Output())


def _signature(graph: schema.SubGraphT) -> schema.SignatureDefT:
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    signature.inputs = [_named_tensor(PHOTO, graph.inputs[0])]
    signature.outputs = [_named_tensor(CARTOON, graph.outputs[0])]
    return signature


def _named_tensor(name: str, index: int) -> schema.TensorMapT:
    tensor = schema.TensorMapT()
    tensor.name = name
    tensor.tensorIndex = int(index)
    return tensor


def _attach(parts: schema.ModelT, name: str, content: bytes) -> None:
    """Add an entry to the metadata."""
    buffer = schema.BufferT()
    buffer.data = list(content)
    entry = schema.MetadataT()
    entry.name = name
    entry.buffer = len(parts.buffers)
    parts.buffers = [*parts.buffers, buffer]
    parts.metadata = [*(parts.metadata or []), entry]


def operators(model: bytes) -> dict[str, int]:
    """Count the operators of a model by name. Custom ones, including TensorFlow's, are named CUSTOM:name."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    parts = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    counts: dict[str, int] = {}
    for graph in parts.subgraphs:
        for operator in graph.operators:
            code = parts.operatorCodes[operator.opcodeIndex]
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            name = f"CUSTOM:{code.customCode.decode()}" if name == "CUSTOM" else name
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def _metadata_buffer(metadata: Metadata, size: tuple[int, int] | None, is_uint8: bool) -> bytes:
    """Build a ModelMetadata table of metadata_schema.fbs. Fields of tables are numbered there, here and below."""
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
    builder.Finish(_table(builder, 8, model_fields), _METADATA_IDENTIFIER)
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
