#!/usr/bin/env bash
# Guess: TensorFlow's convolutions run in oneDNN's tuned kernels; two hundredths more pixels take two hundredths more.
# What happens: on a CPU without AVX-512 (ONEDNN_MAX_CPU_ISA=AVX2 makes any other one such) a float32 NHWC convolution
# of one picture runs as "gemm:jit" until its input's bytes times the intra-op threads exceed 1 GiB. Then oneDNN refuses
# that ("scratchpad memory limit exceeded", in ONEDNN_VERBOSE=all alone) and takes "ref:any", its reference kernel: many
# times slower, without a word. With 8 threads and 64 channels that begins at 0.52 megapixels, with 2 threads at 2.1.
# For users: a photo that takes seconds on one machine takes minutes on another with more threads. So pictures must be
# drawn in bands below that size, or with fewer threads.
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

side, threads, channels = int(sys.argv[1]), 8, 64
tf.config.threading.set_intra_op_parallelism_threads(threads)
kernel = tf.zeros([3, 3, channels, 4])  # few outputs, so that the slow one ends soon
picture = tf.zeros([1, side, side, channels])
begin_secs = time.perf_counter()
tf.nn.conv2d(picture, kernel, 1, "SAME").numpy()
secs = time.perf_counter() - begin_secs
gib = 4 * side**2 * channels * threads / 2**30
print(f"{side}x{side}, {channels} channels, {threads} threads: {gib:.3f} GiB, {secs:.1f} s")
PYTHON
export ONEDNN_MAX_CPU_ISA=AVX2 ONEDNN_VERBOSE=1 TF_ENABLE_ONEDNN_OPTS=1 TF_CPP_MIN_LOG_LEVEL=3
kernel_at() { # side: convolve a picture of it; prints the size, the seconds and oneDNN's implementation
  venv/bin/python convolve.py "$1" > out.txt 2> errors.txt || { cat errors.txt; exit 1; }
  grep "GiB" out.txt
  grep --only-matching --max-count=1 'exec,cpu,convolution,[^,]*' out.txt
}
below=$(kernel_at 720)
above=$(kernel_at 728)
echo "tensorflow 2.21.0, $(grep --only-matching --max-count=1 'oneDNN v[^ ]*' out.txt)"
printf '%s\n' "$below" "$above"
case $below in *gemm:jit) ;; *) echo "the behaviour below 1 GiB has changed"; exit 1 ;; esac
case $above in *ref:any) ;; *) echo "the behaviour above 1 GiB has changed"; exit 1 ;; esac
