"""An archive drawn by two workers against one, by Dask on this machine; and a run in which a worker is killed.

    python -m benchmarks.archive --photos_dir=photos --output=archive.md

Each worker draws with one thread. The clusters take turns; the ratio is the median over the rounds. In the last run, a
worker is killed as soon as a quarter of the pictures is drawn.
"""

import dataclasses
import operator
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.dask_cluster import cluster, process_ids
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import take_turns, write_report
from cartoongan_tf.media import folders, pictures
from cartoongan_tf.media.picture_plugins import is_named_as_picture

_PORT = 8790
_PX = 720


@dataclasses.dataclass(frozen=True)
class ArchiveBenchmarkConfig(Config):
    photos_dir: str = option("Folder of photos.")
    style: str = option("Style to draw in.", "ink")
    num_pictures: int = option("Number of pictures in the archive; photos repeat if there are fewer.", 60, at_least=4)
    rounds: int = option("Number of rounds.", 3, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(ArchiveBenchmarkConfig, _archive, __doc__, argv)


def _archive(config: ArchiveBenchmarkConfig, _) -> None:
    require_extra("dask", "benchmarks.archive")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _fill(folder / "photos", config)
        runs = {num_workers: _Run(folder, config, num_workers) for num_workers in (1, 2)}
        secs = take_turns(runs, config.rounds)
        killed_secs = _Run(folder, config, num_workers=2, kills_one=True)()
    lines = [
        "| workers | s for the whole run | x one worker | pictures a second once the first is drawn | x one worker |"
    ]
    lines.append("| --- | --: | --: | --: | --: |")
    for num_workers, run in runs.items():
        speedup = statistics.median(map(operator.truediv, secs[1], secs[num_workers]))
        of_drawing = statistics.median(map(operator.truediv, run.speeds, runs[1].speeds))
        speed = statistics.median(run.speeds)
        median = statistics.median(secs[num_workers])
        lines.append(f"| {num_workers} | {median:.1f} | {speedup:.2f} | {speed:.2f} | {of_drawing:.2f} |")
    speedup = statistics.median(secs[1]) / killed_secs
    lines.append(f"| 2, one killed on the way | {killed_secs:.1f} | {speedup:.2f} | | |")
    write_report("benchmarks.archive", config, ("apache-beam", "distributed", "ai-edge-litert"), lines, config.output)


def _fill(folder: Path, config: ArchiveBenchmarkConfig) -> None:
    """Write the archive: photos, shrunk to about the size at which a style draws."""
    files = folders.list_files(config.photos_dir)
    photos = [pictures.shrink(pictures.read_picture(path), _PX) for path in files if is_named_as_picture(path)]
    for number in range(config.num_pictures):
        pictures.write_picture(folder / f"{number}.jpg", photos[number % len(photos)])


class _Run:
    """A run of the program, on a cluster that has just started; the cluster's start does not count.

    Attributes:
      speeds: pictures in a second, from the first result to the last, of each run so far.
    """

    def __init__(self, folder: Path, config: ArchiveBenchmarkConfig, num_workers: int, kills_one: bool = False):
        self._folder = folder
        self._config = config
        self._num_workers = num_workers
        self._kills_one = kills_one
        self.speeds: list[float] = []

    def __call__(self) -> float:
        """Draw the archive; return the seconds that it took. Raises InputError if a file is missing then."""
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as place,
            cluster(self._num_workers, _PORT, self._folder) as address,
        ):
            begun = time.perf_counter()
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "cartoongan_tf.cartoonize_archive", f"--style={self._config.style}"),
                    *(f"--input={self._folder}/photos", f"--output_dir={place}/drawn", "--num_threads=1"),
                    *("--runner=DaskRunner", "--", f"--dask_client_address={address}"),
                ],
                stdout=subprocess.DEVNULL,
            )
            if self._kills_one:
                self._kill_one(address, Path(place, "drawn"), process)
            status = process.wait()
            secs = time.perf_counter() - begun
            times = sorted(path.stat().st_mtime for path in Path(place, "drawn").glob("*.jpg"))
        if status or len(times) < self._config.num_pictures:
            raise InputError(f"only {len(times)} of {self._config.num_pictures} pictures were drawn; try the program")
        self.speeds.append((len(times) - 1) / (times[-1] - times[0]))
        return secs

    def _kill_one(self, address: str, drawn: Path, process: subprocess.Popen) -> None:
        victim, *_ = process_ids(address, self._num_workers)
        while len(list(drawn.glob("*.jpg"))) < self._config.num_pictures / 4 and process.poll() is None:
            time.sleep(0.05)
        os.kill(victim, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
