#!/usr/bin/env bash
# Guess: tf.summary writes TensorBoard's event files with TensorFlow alone; TensorBoard is needed to look at them.
# What happens: tensorflow 2.21 neither holds nor requires the code behind tf.summary.scalar and .image. The writer is
# made, and even makes its file; the first point raises TBNotInstalledError.
# For users: a training that installs tensorflow alone starts well, and dies at its first summary. So this project
# requires tensorboard, whether or not anybody looks at the curves.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0
cat > summaries.py <<'PYTHON'
import importlib.util
import os

import tensorflow as tf

print("tensorflow", tf.__version__, "- tensorboard installed:", importlib.util.find_spec("tensorboard") is not None)
writer = tf.summary.create_file_writer("summaries")
print("create_file_writer: works, and wrote", os.listdir("summaries"))
raised = []
with writer.as_default():
    for name, data in (("scalar", 0.5), ("image", tf.zeros([1, 8, 8, 3]))):
        try:
            getattr(tf.summary, name)("some", data, step=0)
            print(f"tf.summary.{name}: works")
        except Exception as error:
            raised.append(type(error).__name__)
            print(f"tf.summary.{name}: {type(error).__name__}: {error}")
assert raised == ["TBNotInstalledError"] * 2, "the behaviour has changed"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python summaries.py 2> errors.txt || { cat errors.txt; exit 1; }
