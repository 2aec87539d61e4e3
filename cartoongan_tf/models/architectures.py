"""The names and default sizes of the generators' architectures; without Keras, so that programs start quickly."""

# Width and number of residual blocks of each architecture, for flags that are 0.
GENERATOR_SIZES = {"paper": (64, 8), "light": (32, 6), "narrow": (16, 8)}
