"""The server to start: its image, its flags, and the processors and memory that it needs."""

import dataclasses
import math

from export.serving.facts import CONFIG, MONITORING, MOUNTED_AT

# Of the TensorFlow that exports: a server reads models of its own and of earlier versions.
IMAGE = "tensorflow/serving:2.21.0"
NUM_CPUS = 4  # of a pod
NUM_REQUESTS = 4  # drawn at once, for each of the two protocols
_LOADED_BYTES = 1e9  # measured 0.73 GB, in a Python process
FLAGS = (
    f"--model_config_file={MOUNTED_AT}/{CONFIG}",
    "--model_config_file_poll_wait_seconds=60",
    f"--monitoring_config_file={MOUNTED_AT}/{MONITORING}",
    "--rest_api_timeout_in_ms=300000",
    f"--rest_api_num_threads={NUM_REQUESTS}",
    f"--grpc_max_threads={NUM_REQUESTS + 1}",  # one of them waits for requests
    "--enable_grpc_healthcheck_service=true",
)


@dataclasses.dataclass(frozen=True)
class Sizing:
    """The memory of a served model.

    Attributes:
      max_pixels, drawing_size: as in `signatures.signatures`.
      bytes_per_pixel: memory that a picture takes while it is cartoonized.
    """

    max_pixels: int
    drawing_size: int
    bytes_per_pixel: float

    @property
    def largest_bytes(self) -> float:
        """Memory of the largest request that the model accepts."""
        return self.max_pixels * self.bytes_per_pixel

    @property
    def usual_bytes(self) -> float:
        """Memory of a file at the drawing size; without one, of the largest request."""
        return min(self.drawing_size**2 * self.bytes_per_pixel or math.inf, self.largest_bytes)

    @property
    def requested_bytes(self) -> float:
        """Memory of a server that draws files at the drawing size."""
        return _LOADED_BYTES + NUM_REQUESTS * self.usual_bytes

    @property
    def most_bytes(self) -> float:
        """Memory of a server whose requests are all as large as the model accepts them."""
        return _LOADED_BYTES + NUM_REQUESTS * self.largest_bytes
