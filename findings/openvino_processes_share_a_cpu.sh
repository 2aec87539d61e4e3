#!/usr/bin/env bash
# Guess: two processes that each infer with one thread of OpenVINO, on a machine with two free CPUs or more, compute at
# the same time.
# What happens: OpenVINO 2026.4.1 pins its threads, in every process to the first CPUs. Both processes compute on CPU 0,
# take twice as long as one alone, and leave the other CPUs idle.
# For users: set ENABLE_CPU_PINNING to False where several processes compute beside each other; our programs do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet openvino==2026.4.1 numpy==2.4.6
cat > infer.py <<'PYTHON'
import subprocess
import sys
import time

import numpy as np
import openvino
from openvino import opset13 as ops


def infer(is_pinned):
    """Multiply matrices for three seconds; print how often."""
    left = ops.parameter([1024, 1024], np.float32)
    right = ops.constant(np.random.default_rng(0).random((1024, 1024), np.float32))
    model = openvino.Model([ops.result(ops.matmul(left, right, False, False))], [left])
    core = openvino.Core()
    core.set_property("CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"})
    if not is_pinned:
        core.set_property("CPU", {"ENABLE_CPU_PINNING": False})
    compiled = core.compile_model(model, "CPU")
    picture = np.ones((1024, 1024), np.float32)
    compiled(picture)
    begin, count = time.monotonic(), 0
    while time.monotonic() < begin + 3:
        compiled(picture)
        count += 1
    print(count)


def counts(num_processes, kind):
    command = [sys.executable, __file__, kind]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(num_processes)]
    return [int(process.communicate()[0]) for process in processes]


if len(sys.argv) > 1:
    infer(sys.argv[1] == "default")
else:
    gains = {kind: sum(counts(2, kind)) / sum(counts(1, kind)) for kind in ("default", "unpinned")}
    for kind, gain in gains.items():
        print(f"{kind}: two processes do {gain:.2f} times the work of one")
    assert gains["default"] < 1.5 and gains["unpinned"] > 1.6
PYTHON
[ "$(nproc)" -ge 2 ] || { echo "this needs two CPUs"; exit 1; }
venv/bin/python infer.py
# Output of 2026-12-01, on 2 CPUs:
#   default: two processes do 1.28 times the work of one
#   unpinned: two processes do 2.00 times the work of one
