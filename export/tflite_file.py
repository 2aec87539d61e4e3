"""Parts of a .tflite file that the converter does not write: signatures, a first size and metadata for tools."""

import copy
import itertools

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from cartoongan_tf.inference import tflite_facts
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import PICTURE, SIGNATURES
from export import tflite_metadata
from export.tflite_metadata import Metadata

_NO_TENSOR = -1  # the index of an operator's input that is left out
_MAX_SHAPE_BYTES = 64


def with_signature(model: bytes, signature: str, first_size: tuple[int, int] | None = None) -> bytes:
    """Give a signature and a first size to a file from the converter.

    Args:
      model: contents of the file, with the inputs and outputs of `SIGNATURES[signature]`, of which the first input is
        uint8 or float32 RGB [N, H, W, 3].
      signature: a key of `SIGNATURES`.
      first_size: for a model that takes any size, the height and width that it has before an app asks for others. The
        converter sets 1 x 1 pixels, which fail. None: the model has a fixed size.
    """
    parts = _read(model)
    (graph,) = parts.subgraphs
    if first_size:
        graph.tensors[graph.inputs[0]].shape = [1, *first_size, 3]
    parts.signatureDefs = [_signature(signature, graph, 0)]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def with_pictures(model: bytes) -> bytes:
    """Add the signature for pictures to a file that has the one for films, as its first; both share the weights.

    Its graph is that for films without the averages: each norm takes its own statistics.
    """
    parts = _read(model)
    (film,) = parts.subgraphs
    (signature,) = parts.signatureDefs
    picture = copy.deepcopy(film)
    picture.inputs = film.inputs[:1]
    picture.outputs = film.outputs[:1]
    picture.operators = _without_averages(picture.operators, keep=film.inputs[2], cartoon=film.outputs[0])
    taken = {tensor for operator in picture.operators for tensor in operator.inputs}
    if not taken.isdisjoint(film.inputs[1:]):
        raise ValueError("the converter writes averages in another way than own + keep * (before - own)")
    _drop_unused_tensors(picture)
    parts.subgraphs = [picture, film]
    signature.subgraphIndex = 1
    parts.signatureDefs = [_signature(PICTURE, picture, 0), signature]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def _without_averages(operators: list, keep: int, cartoon: int) -> list:
    """Return the operators that a picture's cartoon needs, if norms take their own statistics.

    `tflite_graphs` averages by own + keep * (before - own).

    Args:
      operators: all operators, each after those that it depends on.
      keep, cartoon: indices of these tensors.
    """
    changes = {operator.outputs[0] for operator in operators if keep in operator.inputs}
    own_of = {}
    for operator in operators:
        if not changes.isdisjoint(operator.inputs):
            (own_of[operator.outputs[0]],) = set(operator.inputs) - changes
    needed = {cartoon}
    kept = []
    for operator in reversed(operators):
        if not needed.isdisjoint(operator.outputs):
            operator.inputs = [own_of.get(tensor, tensor) for tensor in operator.inputs]
            needed.update(operator.inputs)
            kept.append(operator)
    return kept[::-1]


def _drop_unused_tensors(graph: schema.SubGraphT) -> None:
    ends = [*graph.inputs, *graph.outputs]
    used = {tensor for operator in graph.operators for tensor in (*operator.inputs, *operator.outputs)}
    kept = sorted(used.union(ends) - {_NO_TENSOR})
    graph.tensors = [graph.tensors[tensor] for tensor in kept]
    number_of = {tensor: number for number, tensor in enumerate(kept)} | {_NO_TENSOR: _NO_TENSOR}
    for part in (graph, *graph.operators):
        part.inputs = [number_of[tensor] for tensor in part.inputs]
        part.outputs = [number_of[tensor] for tensor in part.outputs]


def completed(model: bytes, metadata: Metadata, facts: TFLiteFacts) -> bytes:
    """Add metadata and facts to a file from `with_signature`."""
    parts = _read(model)
    photo = parts.subgraphs[0].tensors[parts.subgraphs[0].inputs[0]]
    takes_any_size = photo.shapeSignature is not None and photo.shapeSignature[1] == -1
    size = None if takes_any_size else (int(photo.shape[1]), int(photo.shape[2]))
    _attach(parts, tflite_metadata.NAME, tflite_metadata.build(metadata, size, photo.type == schema.TensorType.UINT8))
    _attach(parts, tflite_facts.METADATA_NAME, facts.to_bytes())
    return bytes(flatbuffer_utils.convert_object_to_bytearray(parts))


def weights(model: bytes) -> set[bytes]:
    """Return the weights of a file: the contents of its tensors' buffers that are larger than shapes and paddings."""
    parts = _read(model)
    buffers = {tensor.buffer for graph in parts.subgraphs for tensor in graph.tensors}
    contents = (parts.buffers[buffer].data for buffer in buffers)
    return {data.tobytes() for data in contents if data is not None and len(data) > _MAX_SHAPE_BYTES}


def _read(model: bytes) -> schema.ModelT:
    """Return a file's parts, which can be written again.

    The quantizer's buffers are bytes, which would be written one by one; as arrays they are written at once.
    """
    parts = flatbuffer_utils.read_model_from_bytearray(model)
    for buffer in parts.buffers:
        if isinstance(buffer.data, bytes):
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    return parts


def _signature(name: str, graph: schema.SubGraphT, number: int) -> schema.SignatureDefT:
    """Return a signature of `SIGNATURES` for a graph, the one of that number in its file."""
    signature = schema.SignatureDefT()
    signature.signatureKey = name
    signature.subgraphIndex = number
    inputs, outputs = SIGNATURES[name]
    signature.inputs = [_named_tensor(*pair) for pair in zip(inputs, graph.inputs, strict=True)]
    signature.outputs = [_named_tensor(*pair) for pair in zip(outputs, graph.outputs, strict=True)]
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


def shape_offsets(model: bytes) -> list[int]:
    """Return the places in a file of the numbers that a program writes over to give its pictures a fixed size.

    A runtime that cannot change the shapes of tensors, as the one in browsers, then takes pictures of that size.

    Returns:
      offsets in bytes of vectors of four int32, the shapes [N, H, W, 3] of each signature's photo and cartoon.
    """
    start = np.frombuffer(model, np.uint8).ctypes.data
    parts = schema.Model.GetRootAsModel(model, 0)
    offsets = []
    for number in range(parts.SubgraphsLength()):
        graph = parts.Subgraphs(number)
        for tensor in (graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))):
            shapes = (tensor.ShapeAsNumpy(), tensor.ShapeSignatureAsNumpy())
            offsets += [shape.ctypes.data - start for shape in shapes if isinstance(shape, np.ndarray)]
    return offsets


def operators(model: bytes, signature: str = PICTURE) -> dict[str, int]:
    """Count a signature's operators by name. Custom ones, including TensorFlow's, are named CUSTOM:name."""
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    parts = _read(model)
    counts: dict[str, int] = {}
    indices = [entry.subgraphIndex for entry in parts.signatureDefs if entry.signatureKey.decode() == signature]
    for operator in itertools.chain.from_iterable(parts.subgraphs[index].operators for index in indices):
        code = parts.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        name = f"CUSTOM:{code.customCode.decode()}" if name == "CUSTOM" else name
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
