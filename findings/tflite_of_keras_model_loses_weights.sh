#!/usr/bin/env bash
# Guess: from_concrete_functions(functions, model) converts the functions with the model's weights. Its documentation
# describes the second argument, trackable_obj, as the object that keeps the variables alive, and the converter warns
# about its absence.
# What happens: if that object is a Keras model, or a tf.Module that holds one, the .tflite file has no weights, and no
# error says so. LiteRT 2.1 loads the file, runs it, and answers NaN. Without the second argument, which the warning
# advises against, the file is right; so it is with a tf.Module that has tf.Variables of its own.
# For users: an app gets a file of a few kilobytes that draws nothing. Leave trackable_obj out for Keras 3 models, and
# compare one output of every file with the model's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tensorflow==2.21.0 keras==3.15.1
cat > convert.py <<'PYTHON'
import keras
import tensorflow as tf

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1024), keras.layers.Dense(64)])
SIGNATURE = [tf.TensorSpec([1, 64])]


class OfKeras(tf.Module):
    def __init__(self):
        self.model = model

    @tf.function(input_signature=SIGNATURE)
    def __call__(self, x):
        return self.model(x)


class OfVariables(tf.Module):
    def __init__(self):
        self.kernels = [tf.Variable(tf.random.normal(shape)) for shape in ([64, 1024], [1024, 64])]

    @tf.function(input_signature=SIGNATURE)
    def __call__(self, x):
        return x @ self.kernels[0] @ self.kernels[1]


print("TensorFlow", tf.__version__, "Keras", keras.__version__)
without_weights = []
for name, trackable, call in (
    ("a Keras model", model, tf.function(lambda x: model(x), input_signature=SIGNATURE)),
    ("a module with a Keras model", module := OfKeras(), module.__call__),
    ("a module with variables", module := OfVariables(), module.__call__),
):
    function = call.get_concrete_function()
    alone = len(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    with_trackable = len(tf.lite.TFLiteConverter.from_concrete_functions([function], trackable).convert())
    print(f"{name}: {alone} bytes; with trackable_obj {with_trackable} bytes")
    if with_trackable < 0.1 * alone:
        without_weights.append(name)
expected = ["a Keras model", "a module with a Keras model"]
raise SystemExit(0 if without_weights == expected else f"This has changed: {without_weights}")
PYTHON
venv/bin/python convert.py 2> log || { cat log; exit 1; }
# Output seen; the weights alone are 524,288 bytes:
# TensorFlow 2.21.0 Keras 3.15.1
# a Keras model: 525296 bytes; with trackable_obj 2508 bytes
# a module with a Keras model: 525296 bytes; with trackable_obj 2508 bytes
# a module with variables: 525232 bytes; with trackable_obj 525376 bytes
