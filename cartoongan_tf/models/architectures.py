"""The generators' architectures by name, with the size of each; without Keras, so that programs start quickly."""

# Width and number of blocks of each architecture, where the flags leave them at 0.
GENERATOR_SIZES = {"paper": (64, 8), "light": (16, 8)}
