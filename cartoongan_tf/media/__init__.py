"""Picture and film files, and measures of pixels. Imports neither Keras nor TensorFlow."""
