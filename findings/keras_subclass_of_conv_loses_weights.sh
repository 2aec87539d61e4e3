#!/usr/bin/env bash
# Guess: Keras saves every weight of a model. Its guide says that save_own_variables() need only be written for state that
# is no weight, and add_weight() in build() is how a subclass gets one.
# What happens: a subclass of Dense, EinsumDense, Embedding or Conv2D that adds a weight is saved without an error or a
# warning, and the file lacks that weight: these classes write a fixed list of their own. A subclass of Conv2DTranspose,
# DepthwiseConv2D or BatchNormalization is saved completely. The loss shows when the file is loaded, if it ever is.
# For users: hours of training of a layer such as a convolution with a learned gain end in a file that cannot be loaded.
# Write save_own_variables() and load_own_variables() for each such class, and load the first file at once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet keras==3.15.1 numpy==2.4.6 jax==0.10.2
cat > save.py <<'PYTHON'
import keras

INPUTS = {
    "Dense": ((3,), "float32"),
    "EinsumDense": ((3,), "float32"),
    "Embedding": ((3,), "int32"),
    "Conv2D": ((8, 8, 3), "float32"),
    "Conv2DTranspose": ((8, 8, 3), "float32"),
    "DepthwiseConv2D": ((8, 8, 3), "float32"),
    "BatchNormalization": ((8, 8, 3), "float32"),
}
ARGUMENTS = {
    "Dense": (2,),
    "EinsumDense": ("ab,bc->ac", 2),
    "Embedding": (5, 2),
    "Conv2D": (2, 3),
    "Conv2DTranspose": (2, 3),
    "DepthwiseConv2D": (3,),
    "BatchNormalization": (),
}


def with_gain(base):
    """Return a subclass that has one more weight, as a layer of one's own would add it."""

    def build(self, input_shape):
        base.build(self, input_shape)
        self.gain = self.add_weight(name="gain", shape=(), initializer="ones")

    return keras.saving.register_keras_serializable("finding")(type(f"Gained{base.__name__}", (base,), {"build": build}))


print("Keras", keras.__version__)
lost = []
for name, (shape, dtype) in INPUTS.items():
    photo = keras.Input(shape, dtype=dtype)
    model = keras.Model(photo, with_gain(getattr(keras.layers, name))(*ARGUMENTS[name])(photo))
    model.save(f"{name}.keras")
    try:
        keras.saving.load_model(f"{name}.keras")
        print(f"{name}: loaded")
    except Exception as error:
        lost.append(name)
        print(f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[0][:110]}")
raise SystemExit(0 if lost == ["Dense", "EinsumDense", "Embedding", "Conv2D"] else f"This has changed: {lost}")
PYTHON
# Seen: Dense, EinsumDense, Embedding and Conv2D: ValueError: A total of 1 objects could not be loaded; the others: loaded
KERAS_BACKEND=jax venv/bin/python save.py
