#!/usr/bin/env bash
# Guess: reading a .tflite file and writing it again by ai-edge-litert's flatbuffer_utils, to add metadata for example,
# takes about as long whoever wrote the file.
# What happens: a file that ai-edge-quantizer wrote takes many times as long as the float file that it was made from,
# though it is smaller. Its buffers are read as bytes, which are written one by one; other files' are read as arrays.
# For users: turn the buffers into arrays in between, as `_read` of export/tflite_file.py does; the file is the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0 ai-edge-quantizer==0.10.0 ai-edge-litert==2.3.0
cat > rewrite.py <<'PYTHON'
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer import quantizer, recipe

model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(4000)])
floats = tf.lite.TFLiteConverter.from_keras_model(model).convert()
worker = quantizer.Quantizer(bytearray(floats), recipe.weight_only_wi8_afp32())
quantized = worker.quantize().quantized_model


def rewrite(content, as_arrays):
    parts = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    large = [buffer.data for buffer in parts.buffers if buffer.data is not None and len(buffer.data) > 1e6]
    kinds = {type(data).__name__ for data in large}
    for buffer in parts.buffers if as_arrays else ():
        if isinstance(buffer.data, bytearray):
            buffer.data = np.frombuffer(buffer.data, np.uint8)
    begin = time.process_time()
    written = flatbuffer_utils.convert_object_to_bytearray(parts)
    return kinds, time.process_time() - begin, bytes(written)


_, float_secs, _ = rewrite(floats, as_arrays=False)
kinds, secs, written = rewrite(quantized, as_arrays=False)
_, array_secs, written_from_arrays = rewrite(quantized, as_arrays=True)
print(f"float file, {len(floats):,} bytes: {float_secs:.2f} s")
print(f"quantized file, {len(quantized):,} bytes: {secs:.2f} s; its large buffers are {', '.join(kinds)}")
print(f"quantized file, buffers as arrays: {array_secs:.2f} s; the same file: {written == written_from_arrays}")
assert kinds == {"bytearray"} and written == written_from_arrays
assert secs > 10 * max(float_secs, array_secs)
PYTHON
venv/bin/python rewrite.py 2> errors.txt || { tail -5 errors.txt; exit 1; }
# Output of 2026-12-01:
#   float file, 16,001,000 bytes: 0.04 s
#   quantized file, 4,049,168 bytes: 4.68 s; its large buffers are bytearray
#   quantized file, buffers as arrays: 0.01 s; the same file: True
