"""Parts of a .tflite file that the converter does not write: signatures, a first size and metadata for tools."""

import itertools

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from cartoongan_tf.inference import tflite_facts
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import PICTURE, SIGNATURES
from export import tflite_metadata
from export.tflite_metadata import Metadata


def with_signature(model: bytes, signature: str, first_size: tuple[int, int] | None = None) -> bytes:
    """Give a signature and a first size to a file from the converter.

    Args:
      model: contents of the file, with the inputs and outputs of `SIGNATURES[signature]`, of which the first input is
        uint8 or float32 RGB [N, H, W, 3].
      signature: a key of `SIGNATURES`.
      first_size: for a model that takes any size, the height and width that it has before an app asks for others. The
        converter sets 1 x 1 pixels, which fail. None: the model has a fixed size.
    """
    parts = flatbuffer_utils.read_model_from_bytearray(model)
    (graph,) = parts.subgraphs
    if first_size:
        graph.tensors[graph.inputs[0]].shape = [1, *first_size, 3]
    definition = schema.SignatureDefT()
    definition.signatureKey = signature
    definition.subgraphIndex = 0
    names = SIGNATURES[signature]
    definition.inputs = [_named_tensor(*pair) for pair in zip(names.inputs, graph.inputs, strict=True)]
    definition.outputs = [_named_tensor(*pair) for pair in zip(names.outputs, graph.outputs, strict=True)]
    parts.signatureDefs = [definition]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def joined(first: bytes, second: bytes) -> bytes:
    """Join two files from `with_signature` into one that has both signatures, and equal weights once."""
    parts = flatbuffer_utils.read_model_from_bytearray(first)
    more = flatbuffer_utils.read_model_from_bytearray(second)
    buffer_of = {_content(buffer): index for index, buffer in reversed([*enumerate(parts.buffers)])}
    code_of = {_key(code): index for index, code in enumerate(parts.operatorCodes)}
    (graph,) = more.subgraphs
    for tensor in graph.tensors:
        buffer = more.buffers[tensor.buffer]
        tensor.buffer = buffer_of.setdefault(_content(buffer), len(parts.buffers))
        if tensor.buffer == len(parts.buffers):
            parts.buffers.append(buffer)
    for operator in graph.operators:
        code = more.operatorCodes[operator.opcodeIndex]
        operator.opcodeIndex = code_of.setdefault(_key(code), len(parts.operatorCodes))
        if operator.opcodeIndex == len(parts.operatorCodes):
            parts.operatorCodes.append(code)
    (definition,) = more.signatureDefs
    definition.subgraphIndex = len(parts.subgraphs)
    parts.subgraphs.append(graph)
    parts.signatureDefs.append(definition)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def completed(model: bytes, metadata: Metadata, facts: TFLiteFacts) -> bytes:
    """Add metadata and facts to a file from `with_signature`."""
    parts = flatbuffer_utils.read_model_from_bytearray(model)
    photo = parts.subgraphs[0].tensors[parts.subgraphs[0].inputs[0]]
    takes_any_size = photo.shapeSignature is not None and photo.shapeSignature[1] == -1
    size = None if takes_any_size else (int(photo.shape[1]), int(photo.shape[2]))
    _attach(parts, tflite_metadata.NAME, tflite_metadata.build(metadata, size, photo.type == schema.TensorType.UINT8))
    _attach(parts, tflite_facts.METADATA_NAME, facts.to_bytes())
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def _content(buffer: schema.BufferT) -> bytes:
    return b"" if buffer.data is None else bytes(buffer.data)


def _key(code: schema.OperatorCodeT) -> tuple:
    return (code.builtinCode, code.deprecatedBuiltinCode, code.customCode, code.version)


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


def operators(model: bytes, signature: str = PICTURE) -> dict[str, int]:
    """Count a signature's operators by name. Custom ones, including TensorFlow's, are named CUSTOM:name."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    parts = flatbuffer_utils.read_model_from_bytearray(model)
    counts: dict[str, int] = {}
    indices = [entry.subgraphIndex for entry in parts.signatureDefs if entry.signatureKey.decode() == signature]
    for operator in itertools.chain.from_iterable(parts.subgraphs[index].operators for index in indices):
        code = parts.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        name = f"CUSTOM:{code.customCode.decode()}" if name == "CUSTOM" else name
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
