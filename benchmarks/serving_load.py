"""An exported model under load: pictures a second, latencies and memory, in TensorFlow's session and in ONNX Runtime.

    python -m benchmarks.serving_load --seconds=600 --output=serving_load.md

Each server runs in a process of its own, in the session that TensorFlow Serving runs models in, and listens to this
machine alone. Clients send the requests of TensorFlow Serving: JPEG files of several sizes, mixed, and some files that
are no pictures, which must be refused and must not disturb the others. Servers take turns; ratios are medians over the
rounds, against TensorFlow over gRPC with as many clients.
"""

import dataclasses
import functools
import io
import operator
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import load_clients, served_models
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

METHODS = {  # an engine, a protocol, and whether each operator has one thread, by name
    f"{TENSORFLOW}, {GRPC}": (TENSORFLOW, GRPC, False),
    f"{TENSORFLOW}, {REST}": (TENSORFLOW, REST, False),
    f"{TENSORFLOW}, {GRPC}, intra-op 1": (TENSORFLOW, GRPC, True),
    f"{ONNX_RUNTIME}, {GRPC}": (ONNX_RUNTIME, GRPC, False),
}
_CLIENTS: dict[str, type[RemoteModel]] = {GRPC: GrpcModel, REST: RestModel}
PACKAGES = ("tensorflow", "tensorflow-serving-api", "onnxruntime", "grpcio")
MINIMUM_PSNR_DB = 30.0  # between the engines, whose decoders and ways to shrink differ a little
_MANY_PX = 20_000  # photos are read at their own size
_BATCH, _BATCH_PX, _BATCH_ROUNDS = 8, 256, 3


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
    rounds: int = option("Number of rounds, in each of which each server starts anew.", 2, at_least=1)
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
    drawing_size = config.drawing_size or styles.drawing_size(config.model)
    with tempfile.TemporaryDirectory() as folder:
        threads = (config.intra_op_threads, config.inter_op_threads)
        server = Settings(Path(folder), drawing_size, *threads, config.client_numbers[-1])
        with fresh_process() as process:
            process.submit(served_models.prepare, model, Path(folder), drawing_size, parity.read_photos()[0]).result()
        test = _LoadTest(config, server, load_clients.photo_files(photos, config.sizes))
        turns = take_turns({name: functools.partial(test.turn, name) for name in METHODS}, config.rounds)
        lines = [*_table(turns), "", *_memory_table(turns, test.megapixels), "", _batch_line(server, photos[0])]
    write_report("benchmarks.serving_load", config, PACKAGES, lines, config.output)


class Turn(NamedTuple):
    """The record of a server in one round.

    Attributes:
      loaded_bytes: its memory before the first request.
      loads: the record of each load, by the number of clients.
    """

    loaded_bytes: int
    loads: dict[int, Load]


class _LoadTest:
    """The material of a test, and its turns."""

    def __init__(self, config: ServingLoadConfig, server: Settings, photos: list[bytes]):
        """
        Args:
          config: the flags.
          server: the settings of the servers.
          photos: JPEG files.
        """
        from export.serving.check import BAD_FILES

        self._config = config
        self._server = server
        self._photos = photos
        cut_short = photos[0][: len(photos[0]) // 2]
        self._bad = [Request(content, None) for content in (*BAD_FILES, cut_short)]
        self._is_bad = load_clients.turns_of_bad(config.bad_share)
        self._cartoons: list[np.ndarray] = []  # of the photos, once a server has drawn them

    @property
    def megapixels(self) -> float:
        """Size of the largest cartoon in million pixels."""
        return max(cartoon.shape[0] * cartoon.shape[1] for cartoon in self._cartoons) / 1e6

    def turn(self, method: str) -> Turn:
        """Start a server, and load it with one number of clients after another."""
        engine, protocol, has_one_thread = METHODS[method]
        server = self._server._replace(intra_op_threads=1) if has_one_thread else self._server
        numbers = self._config.client_numbers
        secs = self._config.seconds / (len(METHODS) * len(numbers) * self._config.rounds)
        loads: dict[int, Load] = {}
        with ServedModel(engine, server) as served:
            loaded_bytes = served.peak_bytes()
            model = _CLIENTS[protocol](served.address(protocol), MODEL, timeout_secs=self._config.timeout_secs)
            good = self._drawn_alone(model, method)
            requests = load_clients.mixed(good, self._bad, self._is_bad, self._config.seed)
            for number in numbers:
                under_load = load_clients.load(model, requests, number, secs)
                loads[number] = dataclasses.replace(under_load, peak_bytes=served.peak_bytes())
                print(f"{method}, {_clients(number)}: {under_load.pictures_per_sec:.2f} pictures/s", flush=True)
        return Turn(loaded_bytes, loads)

    def _drawn_alone(self, model: RemoteModel, method: str) -> list[Request]:
        """Return a request for each photo, with the cartoon that the server draws of it without load; it warms up."""
        files = [model.draw(photo) for photo in self._photos]
        cartoons = [pictures.read_picture(io.BytesIO(file)) for file in files]
        self._cartoons = self._cartoons or cartoons
        worst = min(map(psnr, cartoons, self._cartoons))
        if worst < MINIMUM_PSNR_DB:
            raise InputError(
                f"{method} draws another cartoon than {next(iter(METHODS))}: PSNR {worst:.1f} dB, not "
                f"{MINIMUM_PSNR_DB:.0f} dB or more; speeds of different networks cannot be compared"
            )
        return list(map(Request, self._photos, files))


def _table(turns: Mapping[str, list[Turn]]) -> list[str]:
    first = next(iter(METHODS))
    lines = [
        f"| server | clients | pictures/s | x {first} | p50 s | p95 s | p99 s | cartoons | refused | peak MB |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for number in turns[first][0].loads:
        peers = [turn.loads[number].pictures_per_sec for turn in turns[first]]
        for method in METHODS:
            loads = [turn.loads[number] for turn in turns[method]]
            speeds = [load.pictures_per_sec for load in loads]
            latencies = [secs for load in loads for secs in load.latencies_secs]
            percentiles = " | ".join(f"{secs:.2f}" for secs in np.percentile(latencies, (50, 95, 99)))
            lines.append(
                f"| {method} | {number} | {statistics.median(speeds):.2f} | "
                f"{statistics.median(map(operator.truediv, speeds, peers)):.2f} | {percentiles} | {len(latencies)} | "
                f"{sum(load.num_refused for load in loads)} | {max(load.peak_bytes for load in loads) / 1e6:,.0f} |"
            )
    return lines


def _memory_table(turns: Mapping[str, list[Turn]], megapixels: float) -> list[str]:
    """Return a table of the memory that requests take above the loaded server's, for each of those under way.

    Args:
      turns: the turns by method.
      megapixels: size of the largest cartoon.
    """
    numbers = list(next(iter(turns.values()))[0].loads)
    lines = [
        f"| server | loaded MB | {' | '.join(map(_clients, numbers))} |",
        f"| --- | --: |{' --: |' * len(numbers)}",
    ]
    for method, rounds in turns.items():
        loaded_bytes = statistics.median(turn.loaded_bytes for turn in rounds)
        peaks = [statistics.median(turn.loads[number].peak_bytes for turn in rounds) for number in numbers]
        above = [(peak - loaded_bytes) / 1e6 / number / megapixels for peak, number in zip(peaks, numbers, strict=True)]
        lines.append(f"| {method} | {loaded_bytes / 1e6:,.0f} | {' | '.join(f'{mb:,.0f}' for mb in above)} |")
    return ["MB more for each client and each million pixels of its largest cartoon:", "", *lines]


def _clients(number: int) -> str:
    return f"{number} client{'s' if number > 1 else ''}"


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
