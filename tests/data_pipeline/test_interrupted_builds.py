"""Builds in processes of their own: killed, interrupted, and on a full disk."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cartoongan_tf.media import pictures
from data_pipeline import build_tfrecords, records
from tests.helpers import REPOSITORY, contents, draw

DATASET = "dataset.json"


def _flags(photos, frames, output, *more):
    return [f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}", "--image_size=32", *more]


def _build(*arguments):
    return build_tfrecords.main(["build", *_flags(*arguments)])


def _draw_photos(folder, count, start=0):
    for seed in range(start, start + count):
        pictures.write_picture(folder / f"{seed:04}.png", draw(1000 + seed, 64, 80))
    return folder


def _start(*arguments):
    """Start a build in its own process, and wait until it has begun to write."""
    command = [sys.executable, "-m", "data_pipeline.build_tfrecords", *_flags(*arguments)]
    plan = arguments[2] / ".build" / "plan.json"
    before = time.time_ns()  # each run writes the plan again
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # CI may run with SIGINT ignored
    )
    deadline = time.monotonic() + 60
    while not (plan.exists() and plan.stat().st_mtime_ns > before) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


@pytest.mark.slow
@pytest.mark.parametrize(
    "num_photos, kills, more",
    [(400, 6, ("--image_size=256",)), (150, 4, ("--image_size=64", "--teacher=abstraction"))],
    ids=["photos", "teacher"],
)
def test_a_build_killed_again_and_again_equals_an_uninterrupted_one(picture_folders, tmp_path, num_photos, kills, more):
    photos = _draw_photos(tmp_path / "photos", num_photos)
    frames = picture_folders[1]
    flags = ("--min_side_px=1", "--validation_fraction=0.1", "--num_workers=1", *more)
    start = time.monotonic()
    assert _build(photos, frames, tmp_path / "straight", *flags) == 0
    straight_secs = time.monotonic() - start
    output = tmp_path / "data"
    rng = random.Random(0)
    stages = []
    for _ in range(kills):
        process = _start(photos, frames, output, *flags)
        time.sleep(rng.uniform(0, 3.3 * straight_secs / kills))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        stages.append(len(list(output.glob("*.tfrecord"))))
        if (output / DATASET).exists():  # it was finished already: start again
            assert contents(output) == contents(tmp_path / "straight")
            shutil.rmtree(output)
    assert _build(photos, frames, output, *flags) == 0
    assert contents(output) == contents(tmp_path / "straight")
    assert len(set(stages)) > kills / 4, stages  # killed at many stages, and each time further on


@pytest.mark.slow
def test_an_interrupted_build_stops_at_once_and_resumes(picture_folders, tmp_path):
    photos = _draw_photos(tmp_path / "photos", 600)
    frames = picture_folders[1]
    process = _start(photos, frames, tmp_path / "data")
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "interrupted" in error and "Traceback" not in error
    assert not list(tmp_path.rglob("*partial*")) and not (tmp_path / "data" / DATASET).exists()
    assert _build(photos, frames, tmp_path / "data") == 0


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_leaves_nothing_half_written(picture_folders, tmp_path):
    """With a limit on the size of files, which stops writes as a full disk does."""
    photos = _draw_photos(tmp_path / "photos", 100)
    output = tmp_path / "data"
    flags = _flags(photos, picture_folders[1], output, "--image_size=128", "--min_side_px=1")
    command = [sys.executable, "-m", "data_pipeline.build_tfrecords", *flags]
    limited = ["bash", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "bash", *command]
    result = subprocess.run(limited, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1 and "Traceback" not in result.stderr and "photos-train-00000" in result.stderr
    assert os.listdir(output) == [".build"]
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True).returncode == 0
    assert len(records.open_records(output).photos) == 100
