"""The constants of a served model: its signatures, its formats and its limits. Nothing here needs TensorFlow."""

# Names of the signatures.
DEFAULT = "serving_default"
ENCODED = "encoded"
STYLED = "styled"
EACH = "each"
# Formats of the answers.
PNG = "png"
JPEG = "jpeg"
ANSWER_FORMATS = (PNG, JPEG)
# First bytes of the accepted files: JPEG, PNG, GIF and BMP, in this order.
MAGIC_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
MAX_PIXELS = 2048 * 2048  # cartoonized at once; this takes some 4.8 GB with the paper's network
DECODED_FACTOR = 10  # a picture is decoded to at most this many times more pixels, and then shrunk
MAX_VERSION = 2**63 - 1  # the largest version number that a server reads
# Names of the server's own files, in a folder of served models, and the folder's path for the server.
CONFIG = "models.config"
MONITORING = "monitoring.config"
MOUNTED_AT = "/models"
METRICS_PATH = "/monitoring/prometheus/metrics"
