#!/usr/bin/env bash
# Guess: bfloat16 on a CPU without instructions for it costs a conversion, and is about as fast as float32.
# What happens: without oneDNN (which TensorFlow leaves out by itself on x86 Linux where there is no VNNI, bfloat16 or AMX)
# a convolution and its gradients take some ten times as long as in float32, without a word. With oneDNN on a processor
# whose best is AVX2, the gradient raises InternalError ("could not create a primitive descriptor").
# For users: a training recipe of one machine takes days, or fails, on another. So the program must look at the processor.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0
cat > convolve.py <<'PYTHON'
import sys
import time

import tensorflow as tf


def secs_of_gradients(dtype):
    pictures, kernel = tf.cast(tf.ones([4, 96, 96, 64]), dtype), tf.cast(tf.ones([3, 3, 64, 64]), dtype)

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch([pictures, kernel])
            convolved = tf.nn.conv2d(pictures, kernel, 1, "SAME")
        return tape.gradient(convolved, [pictures, kernel])

    gradients()
    begin_secs = time.perf_counter()
    for gradient in gradients():
        gradient.numpy()
    return time.perf_counter() - begin_secs


try:
    times = [secs_of_gradients(dtype) for dtype in ("float32", "bfloat16")]
except tf.errors.InternalError as error:
    sys.exit("InternalError: " + str(error)[:120].replace("\n", " "))
print(f"float32 {times[0]:.2f} s, bfloat16 {times[1]:.2f} s, {times[1] / times[0]:.1f} times")
sys.exit(0 if times[1] > 3 * times[0] else "bfloat16 is not slow any more")
PYTHON
export TF_CPP_MIN_LOG_LEVEL=3
echo "tensorflow 2.21.0, without oneDNN:"
TF_ENABLE_ONEDNN_OPTS=0 venv/bin/python convolve.py 2> errors.txt || { tail -1 errors.txt; exit 1; }
echo "with oneDNN, on AVX2:"
if TF_ENABLE_ONEDNN_OPTS=1 ONEDNN_MAX_CPU_ISA=AVX2 venv/bin/python convolve.py 2> errors.txt; then
  echo "bfloat16 with AVX2 does not fail any more"
  exit 1
fi
grep --only-matching --max-count=1 "could not create a primitive descriptor for the convolution[a-z ]*" errors.txt
