"""An exported model under load: pictures a second, latencies and memory, in TensorFlow's session and in ONNX Runtime.

    python -m benchmarks.serving_load --seconds=600 --output=serving_load.md

Each server runs in a process of its own, in the session that TensorFlow Serving runs models in, and listens to this
machine alone. Clients send the requests of TensorFlow Serving: JPEG files of several sizes, mixed, and some files that
are no pictures, which must be refused and must not disturb the others. Servers take turns; ratios are medians over the
rounds, against TensorFlow over gRPC with as many clients.
"""

import contextlib
import dataclasses
import functools
import io
import operator
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import load_clients, load_tables, served_models
from benchmarks.load_clients import Load, Request
from benchmarks.served_models import GRPC, MODEL, ONNX_RUNTIME, REST, TENSORFLOW, ServedModel, Settings
from cartoongan_tf import styles
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.timing import TimedProcess, fresh_process, take_turns, write_report
from cartoongan_tf.media import pictures
from cartoongan_tf.media.image_measures import psnr
from export.serving.remote_model import GrpcModel, RemoteModel, RestModel

SERVERS = {  # an engine, a protocol, and whether each operator has one thread, by name
    f"{TENSORFLOW}, {GRPC}": (TENSORFLOW, GRPC, False),
    f"{TENSORFLOW}, {REST}": (TENSORFLOW, REST, False),
    f"{TENSORFLOW}, {GRPC}, intra-op 1": (TENSORFLOW, GRPC, True),
    f"{ONNX_RUNTIME}, {GRPC}": (ONNX_RUNTIME, GRPC, False),
}
_CLIENTS: dict[str, type[RemoteModel]] = {GRPC: GrpcModel, REST: RestModel}
PACKAGES = ("tensorflow", "tensorflow-serving-api", "onnxruntime", "grpcio")
MINIMUM_PSNR_DB = 50.0  # between the engines, whose decoders and ways to shrink leave 70
_MANY_PX = 20_000  # photos are read at their own size
_BATCH, _BATCH_PX, _BATCH_ROUNDS = 8, 256, 5


@dataclasses.dataclass(frozen=True)
class ServingLoadConfig(Config):
    model: str = option("A .keras file, or the name of a style.", styles.DEFAULT)
    output: str = option("A Markdown file to write the table to.", "")
    seconds: float = option(
        "Seconds of load, which all servers, numbers of clients and rounds share; requests under way are still "
        "answered.",
        60.0,
        above=0,
    )
    rounds: int = option("Number of rounds, in which servers take turns, for each number of clients.", 2, at_least=1)
    clients: str = option("Numbers of clients that send at once, ascending, separated by commas.", "1,2,4,8")
    megapixels: str = option("Sizes of the photos in million pixels, separated by commas.", "0.3,1,3,12")
    photos_dir: str = option("Folder of photos; empty: the four in this package.", "")
    drawing_size: int = option("Longer side, in pixels, of the cartoons; 0: that of the style.", 0, at_least=0)
    bad_share: float = option("Share of requests with files that are no pictures.", 0.01, at_least=0, below=1)
    intra_op_threads: int = option("Threads for one operator; 0: one per CPU.", 0, at_least=0)
    inter_op_threads: int = option("Operators that TensorFlow runs at once; 0: one per CPU.", 0, at_least=0)
    timeout_secs: float = option("Seconds that an answer may take; a later one ends the test.", 60.0, above=0)
    seed: int = option("Seed of the order of the requests.", 0, at_least=0)

    def __post_init__(self):
        super().__post_init__()
        ascending = sorted(set(self.client_numbers))
        rule = "different whole numbers from 1 up, ascending, were expected, like 1,2,4,8"
        require(self, "clients", ascending[0] >= 1 and ascending == self.client_numbers, rule)
        require(self, "megapixels", min(self.sizes) > 0, "sizes above 0 were expected")

    @property
    def client_numbers(self) -> list[int]:
        return _numbers("clients", self.clients, int)

    @property
    def sizes(self) -> list[float]:
        return _numbers("megapixels", self.megapixels, float)


def _numbers(name: str, text: str, type: type) -> list:
    try:
        return [type(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f"--{name}={text}: numbers separated by commas were expected") from None


def main(argv=None) -> int:
    return program.run(ServingLoadConfig, _serving_load, __doc__, argv)


def _serving_load(config: ServingLoadConfig, _) -> None:
    require_extra("onnx", "benchmarks.serving_load")
    model = styles.find_model(config.model)
    program.start_tensorflow()
    from export import parity

    photos = parity.read_photos(config.photos_dir or parity.OWN_PHOTOS, len(config.sizes), _MANY_PX)
    files = load_clients.photo_files(photos, config.sizes)
    drawing_size = config.drawing_size or styles.drawing_size(config.model)
    with tempfile.TemporaryDirectory() as folder:
        threads = (config.intra_op_threads, config.inter_op_threads)
        settings = Settings(Path(folder), drawing_size, *threads, config.client_numbers[-1])
        with fresh_process() as process:
            process.submit(served_models.prepare, model, Path(folder), drawing_size, parity.read_photos()[0]).result()
        lines = [*_load_servers(config, settings, files), "", _batch_line(settings, photos[0])]
    write_report("benchmarks.serving_load", config, PACKAGES, lines, config.output)


class _Server(NamedTuple):
    """A server that runs.

    Attributes:
      process: its process.
      loaded_bytes: its memory before the first request.
      model: its client.
      cartoons: the PNG files that it drew of the photos one by one, which warmed it up.
    """

    process: ServedModel
    loaded_bytes: int
    model: RemoteModel
    cartoons: list[bytes]

    def load(self, requests: Iterator[Request], num_clients: int, secs: float) -> Load:
        """Load it as `load_clients.load` does."""
        load = load_clients.load(self.model, requests, num_clients, secs)
        return dataclasses.replace(load, peak_bytes=self.process.peak_bytes())


def _load_servers(config: ServingLoadConfig, settings: Settings, photos: list[bytes]) -> list[str]:
    """Start all servers and load them in turns; return the tables.

    Args:
      config: the flags.
      settings: the settings of the servers.
      photos: JPEG files.
    """
    cut_short = photos[0][: len(photos[0]) // 2]
    bad = [Request(content, None) for content in (b"", b"not a picture", cut_short)]
    is_bad = load_clients.turns_of_bad(config.bad_share)
    secs = config.seconds / (len(SERVERS) * len(config.client_numbers) * config.rounds)
    loads = {}
    with contextlib.ExitStack() as stack:
        servers = {name: _start(stack, name, settings, config.timeout_secs, photos) for name in SERVERS}
        megapixels = _require_same_cartoons(servers)
        requests = {}
        for name, server in servers.items():
            good = list(map(Request, photos, server.cartoons))
            requests[name] = load_clients.mixed(good, bad, is_bad, config.seed)
        for number in config.client_numbers:  # they ascend, as the servers' peaks of memory do
            turns = {
                name: functools.partial(server.load, requests[name], number, secs) for name, server in servers.items()
            }
            loads[number] = take_turns(turns, config.rounds)
            print(f"{load_tables.clients(number)}: done", flush=True)
    loaded_bytes = {name: server.loaded_bytes for name, server in servers.items()}
    return [*load_tables.speeds_table(loads), "", *load_tables.memory_table(loads, loaded_bytes, megapixels)]


def _start(
    stack: contextlib.ExitStack, name: str, settings: Settings, timeout_secs: float, photos: list[bytes]
) -> _Server:
    """Start a server that ends with the stack, and let it draw the photos."""
    engine, protocol, has_one_thread = SERVERS[name]
    settings = settings._replace(intra_op_threads=1) if has_one_thread else settings
    process = stack.enter_context(ServedModel(engine, settings))
    loaded_bytes = process.peak_bytes()
    model = _CLIENTS[protocol](process.address(protocol), MODEL, timeout_secs=timeout_secs)
    return _Server(process, loaded_bytes, model, [model.draw(photo) for photo in photos])


def _require_same_cartoons(servers: dict[str, _Server]) -> float:
    """Return the size of the largest cartoon in million pixels.

    Raises:
      InputError: a server draws other cartoons than the first one.
    """
    first, *others = servers
    cartoons = {
        name: [pictures.read_picture(io.BytesIO(file)) for file in server.cartoons] for name, server in servers.items()
    }
    for name in others:
        worst = min(map(psnr, cartoons[name], cartoons[first]))
        if worst < MINIMUM_PSNR_DB:
            raise InputError(
                f"{name} draws another cartoon than {first}: PSNR {worst:.1f} dB, not {MINIMUM_PSNR_DB:.0f} dB or "
                "more; speeds of different networks cannot be compared"
            )
    return max(cartoon.shape[0] * cartoon.shape[1] for cartoon in cartoons[first]) / 1e6


def _batch_line(server: Settings, photo: np.ndarray) -> str:
    """Time pictures of one size in one run of the session, which is the best that a server's batching can do."""
    square = np.asarray(Image.fromarray(photo).resize((_BATCH_PX, _BATCH_PX)))
    batch = np.stack([square] * _BATCH)
    with TimedProcess(served_models.load_batches, server) as process:
        methods = {
            "batch": lambda: process.seconds(batch),
            "one by one": lambda: sum(process.seconds(batch[:1]) for _ in range(_BATCH)),
        }
        for warm_up in methods.values():
            warm_up()
        times = take_turns(methods, _BATCH_ROUNDS)
    ratio = statistics.median(map(operator.truediv, times["batch"], times["one by one"]))
    return f"A batch of {_BATCH} pictures of {_BATCH_PX} x {_BATCH_PX} takes {ratio:.2f} times as long as one by one."


if __name__ == "__main__":
    sys.exit(main())
