"""A cluster of Dask with two workers, by the commands of docs/archive.md. One worker is killed on the way."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed", reason="clusters of Dask need '.[dask]'")

from benchmarks.dask_cluster import process_ids
from cartoongan_tf.media import pictures
from tests.films import Seen, write_film
from tests.helpers import REPOSITORY, draw
from tests.readme_commands import commands_in

NUM_PICTURES = 24
SHOTS = (250, 250)  # frames: a part each


@pytest.fixture
def archive(tmp_path):
    """The folder in which the reader of the page works."""
    for seed in range(NUM_PICTURES):
        pictures.write_picture(tmp_path / "photos" / f"{seed % 3}" / f"{seed}.png", draw(seed, 300, 400))
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    shots = [np.roll(draw(99 + shot, 48, 64), frame, 1) for shot, length in enumerate(SHOTS) for frame in range(length)]
    write_film(tmp_path / "photos" / "film.mp4", shots, gop=50)
    return tmp_path


@pytest.fixture
def start(archive):
    """Starts commands in the archive's folder; ends them with the test."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = os.environ | {"PATH": places, "PYTHONPATH": str(REPOSITORY)}
    processes = []

    def start(command, log):
        with (archive / log).open("w") as output:
            processes.append(
                subprocess.Popen(
                    f"exec env {command.removesuffix('&')}",
                    shell=True,
                    cwd=archive,
                    env=environment,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        return processes[-1]

    yield start
    for process in reversed(processes):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until(is_done, process, secs):
    deadline = time.monotonic() + secs
    while not is_done() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_all_files_are_there_though_a_worker_is_killed(archive, start):
    _, scheduler, workers, program = commands_in((REPOSITORY / "docs" / "archive.md").read_text())
    start(scheduler, "scheduler.log")
    start(workers, "workers.log")
    victim, _ = process_ids("tcp://127.0.0.1:8786", 2)
    run = start(program, "run.log")
    drawn = archive / "drawn"
    _wait_until(lambda: len(list(drawn.rglob("[0-9]*.png"))) >= 2, run, secs=120)
    os.kill(victim, signal.SIGKILL)
    assert run.wait(240) == 0, (archive / "run.log").read_text()

    files = {path.relative_to(drawn).as_posix() for path in drawn.rglob("*") if path.is_file()}
    expected = {f"{seed % 3}/{seed}.png" for seed in range(NUM_PICTURES)}
    assert files == expected | {"film.mp4", "report.json"}
    assert {pictures.read_picture(drawn / name).shape for name in expected} == {(300, 400, 3)}
    film = Seen(drawn / "film.mp4")
    assert len(film.times) == sum(SHOTS) and film.times == sorted(set(film.times))
    report = json.loads((drawn / "report.json").read_text())
    assert report["pictures_drawn"] + report["kept"] == NUM_PICTURES and report["films_drawn"] == 1
    assert list(report["problems"]) == ["broken.jpg"]
    assert victim not in process_ids("tcp://127.0.0.1:8786", 2)  # Dask has started another one
