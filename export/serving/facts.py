"""What a served model is asked by, and how much it takes; nothing here needs TensorFlow."""

DEFAULT, ENCODED, STYLED = "serving_default", "encoded", "styled"  # its signatures
# What the files begin with that it takes: JPEG, PNG, GIF and BMP, in this order.
MAGIC_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
MAX_PIXELS = 2048 * 2048  # to draw at once: some 4.8 GB with the paper's network
DECODED_FACTOR = 10  # so many times more may be decoded, if they are shrunk before they are drawn
MAX_VERSION = 2**63 - 1  # that a server reads
