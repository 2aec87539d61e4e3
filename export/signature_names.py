"""What the signatures of a served model are called; TensorFlow is not needed to ask them."""

DEFAULT, ENCODED, STYLED = "serving_default", "encoded", "styled"
