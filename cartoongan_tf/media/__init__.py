"""Picture and film files, and what is measured on pixels. Neither Keras nor TensorFlow."""
