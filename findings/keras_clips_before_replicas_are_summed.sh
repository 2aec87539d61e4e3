#!/usr/bin/env bash
# Guess: an optimizer's clipnorm, global_clipnorm and clipvalue limit the gradient that it applies. Under a
# MirroredStrategy that is the sum over all replicas, so N GPUs train as one GPU does with the same global batch.
# What happens: each replica clips its own part of the gradient, and the parts are summed afterwards. The gradient that
# is applied can be N times as long as the limit, and a part below the limit is not clipped at all. Nothing is said.
# For users: a recipe with clipping, tuned on one GPU, is another recipe on eight; where it kept a network alive, the
# network may die on more GPUs. Clip inside the optimizer's update_step(), which sees the sum, or sum the gradients
# yourself before apply().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6
cat > clip.py <<'PYTHON'
import keras
import tensorflow as tf

NUM_REPLICAS = 2
GRADIENT = 1.6  # of the complete batch; a replica has its share of it
LIMIT = 1.0

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * NUM_REPLICAS)
print("TensorFlow", tf.__version__, "Keras", keras.__version__)


def length_of_step(num_replicas, **clipping):
    """Return how far one step of gradient descent at a rate of 1 moves a weight."""
    strategy = tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(num_replicas)])
    with strategy.scope():
        weight = keras.Variable([0.0])
        optimizer = keras.optimizers.SGD(1.0, **clipping)
        optimizer.build([weight])

    @tf.function
    def step():
        strategy.run(lambda: optimizer.apply([tf.constant([GRADIENT / num_replicas])], [weight]))

    step()
    return round(-float(keras.ops.convert_to_numpy(weight)[0]), 3)


steps = {}
for name in ("clipvalue", "clipnorm", "global_clipnorm"):
    steps[name] = [length_of_step(count, **{name: LIMIT}) for count in (1, NUM_REPLICAS)]
    print(f"{name}={LIMIT}: one replica moves the weight by {steps[name][0]}, two by {steps[name][1]}")
raise SystemExit(0 if all(pair == [LIMIT, GRADIENT] for pair in steps.values()) else "This has changed")
PYTHON
# Seen: clipvalue=1.0: one replica moves the weight by 1.0, two by 1.6; and the same with clipnorm and global_clipnorm
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python clip.py
