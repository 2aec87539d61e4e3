"""The constants of a served model: its signatures, its formats and its limits. Nothing here needs TensorFlow."""

# Names of the signatures.
DEFAULT = "serving_default"
ENCODED = "encoded"
STYLED = "styled"
# First bytes of the accepted files: JPEG, PNG, GIF and BMP, in this order.
MAGIC_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM")
MAX_PIXELS = 2048 * 2048  # cartoonized at once; this takes some 4.8 GB with the paper's network
DECODED_FACTOR = 10  # a picture may have this many times more pixels if it is shrunk before it is cartoonized
MAX_VERSION = 2**63 - 1  # the largest version number that a server reads
# Names of the server's own files, in a folder of served models, and the folder's path for the server.
CONFIG = "models.config"
MONITORING = "monitoring.config"
MOUNTED_AT = "/models"
METRICS_PATH = "/monitoring/prometheus/metrics"
