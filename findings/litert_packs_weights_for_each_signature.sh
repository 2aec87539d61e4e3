#!/usr/bin/env bash
# Guess: a .tflite file with two signatures whose graphs share their weights takes their memory once, as the file does;
# a signature that is never called costs nothing; and each signature is run by a runner of its own, beside the
# interpreter's own methods.
# What happens: the file holds the weights once. But XNNPACK prepares the graphs of all signatures when tensors are
# first allocated, and packs the weights anew for each, whether it is called or not: two signatures hold twice the
# memory. And while a signature's runner exists, the interpreter's resize_tensor_input raises RuntimeError, which
# speaks of references to internal data by NumPy arrays; there are none.
# For users: a second signature costs the memory of its weights. Get a runner for each call, or use runners alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0 keras==3.15.1 ai-edge-litert==2.3.0
cat > convert.py <<'PYTHON'
import tensorflow as tf


class Layers(tf.Module):
    """Convolutions with 28 MB of weights."""

    def __init__(self):
        self.kernels = [tf.Variable(tf.random.stateless_normal([3, 3, 512, 512], [0, i])) for i in range(3)]

    def run(self, x):
        for kernel in self.kernels:
            x = tf.nn.conv2d(x, kernel, 1, "SAME")
        return x


layers = Layers()
spec = tf.TensorSpec([1, 8, 8, 512], name="x")
once = tf.function(lambda x: {"y": layers.run(x)}, input_signature=[spec])
negated = tf.function(lambda x: {"y": -layers.run(x)}, input_signature=[spec])
for name, signatures in (("one", {"a": once}), ("two", {"a": once, "b": negated})):
    tf.saved_model.save(layers, name, signatures)
    content = tf.lite.TFLiteConverter.from_saved_model(name).convert()
    open(f"{name}.tflite", "wb").write(content)
    print(f"{name}.tflite: {len(content) / 1e6:.0f} MB")
PYTHON
cat > measure.py <<'PYTHON'
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def held():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1e3 for line in status if line.startswith("VmRSS"))


content = open(f"{sys.argv[1]}.tflite", "rb").read()
before = held()
interpreter = Interpreter(model_content=content, num_threads=1)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.ones([1, 8, 8, 512], np.float32))
interpreter.invoke()
print(f"{sys.argv[1]}.tflite: {held() - before:.0f} MB held after the first signature ran")
if sys.argv[1] == "two":
    runner = interpreter.get_signature_runner("b")
    try:
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], [1, 8, 8, 512])
    except RuntimeError as error:
        print("With a runner:", str(error).splitlines()[0])
    del runner
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], [1, 8, 8, 512])
PYTHON
venv/bin/python convert.py 2> log | tee sizes || { cat log; exit 1; }
for name in one two; do venv/bin/python measure.py "$name" 2> log | tee "$name.txt" || { cat log; exit 1; }; done
grep -q "at least 1 reference to internal data" two.txt || { echo "This has changed: a runner does not block resizing"; exit 1; }
venv/bin/python - <<'PYTHON'
import re

held = [int(re.search(r"(\d+) MB", open(f"{name}.txt").read())[1]) for name in ("one", "two")]
raise SystemExit(0 if held[1] > held[0] + 20 else f"This has changed: {held} MB")
PYTHON
# Output seen (Intel Xeon):
# one.tflite: 28 MB
# two.tflite: 28 MB
# one.tflite: 32 MB held after the first signature ran
# two.tflite: 59 MB held after the first signature ran
# With a runner: There is at least 1 reference to internal data
