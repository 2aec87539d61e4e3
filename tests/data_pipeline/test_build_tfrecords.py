import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from cartoongan_tf.pictures import read_picture
from data_pipeline import build_tfrecords, builder, records
from data_pipeline.prepare import resize_and_crop
from tests.helpers import REPOSITORY


def _command(photos, frames, output, *more):
    return ["build", f"--photos_dir={photos}", f"--cartoons_dir={frames}", f"--output_dir={output}", *more]


def test_records_hold_the_pictures_and_name_what_was_skipped(picture_folders, tmp_path, capsys):
    photos, frames = picture_folders
    output = tmp_path / "data"
    assert build_tfrecords.main(_command(photos, frames, output, "--image_size=32")) == 0
    captured = capsys.readouterr()
    assert "7 photos, 5 cartoons; skipped 2 files" in captured.out
    assert f"{photos}/notes.txt: not a picture" in captured.err and f"{frames}/broken.png" in captured.err
    dataset = json.loads((output / "dataset.json").read_text())
    assert list(dataset["photos"]["skipped"]) == [f"{photos}/notes.txt"]
    opened = records.open_records(output)
    assert (len(opened.photos), len(opened.cartoons), opened.image_size) == (7, 5, 32)
    first = records.parse_photo(opened.photos.read(0), 32).numpy()
    np.testing.assert_array_equal(first, resize_and_crop(read_picture(photos / "holiday" / "photo1.jpg"), 32))


def test_the_number_of_workers_changes_nothing(picture_folders, data_dir, tmp_path):
    builder.build(*map(str, picture_folders), str(tmp_path / "two"), image_size=32, num_workers=2)
    for path in data_dir.iterdir():
        assert (tmp_path / "two" / path.name).read_bytes() == path.read_bytes()


def test_examples_are_spread_over_shards(tmp_path):
    examples = [{"photo": bytes([i])} for i in range(7)]
    names = records.write_shards(tmp_path, "photos", examples, examples_per_shard=3)
    assert names == ["photos-00000.tfrecord", "photos-00001.tfrecord", "photos-00002.tfrecord"]
    index = records._index(tmp_path, names)
    assert [index.read(i)[-1] for i in range(len(index))] == list(range(7))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda photos, frames: shutil.rmtree(photos), "no such folder"),
        (lambda photos, frames: [path.unlink() for path in frames.iterdir()], "is empty"),
        (
            lambda photos, frames: [path.write_text("no") for path in frames.iterdir()],
            "none of the 6 files among the cartoons",
        ),
    ],
)
def test_folders_without_pictures_are_errors(picture_folders, tmp_path, change, message, capsys):
    photos, frames = (shutil.copytree(folder, tmp_path / folder.name) for folder in picture_folders)
    change(photos, frames)
    assert build_tfrecords.main(_command(photos, frames, tmp_path / "data", "--image_size=32")) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
    assert not [name for name in os.listdir(tmp_path) if "partial" in name]


def test_a_folder_in_use_is_refused_and_kept(picture_folders, tmp_path, capsys):
    (tmp_path / "precious").touch()
    assert build_tfrecords.main(_command(*picture_folders, tmp_path)) == 1
    assert "--output_dir" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["precious"]


def test_an_empty_folder_that_is_a_link_is_filled(picture_folders, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "real")
    assert build_tfrecords.main(_command(*picture_folders, tmp_path / "data", "--image_size=32")) == 0
    assert len(records.open_records(tmp_path / "real").photos) == 7


@pytest.mark.parametrize("flag", ["--image_size=30", "--image_size=0", "--num_workers=-1"])
def test_impossible_flags_are_refused(picture_folders, tmp_path, flag, capsys):
    assert build_tfrecords.main(_command(*picture_folders, tmp_path / "data", flag)) == 2
    assert flag in capsys.readouterr().err


def _many_photos(photos, folder):
    for copy in range(40):
        shutil.copytree(photos, folder / str(copy))
    return folder


def _start(photos, frames, output):
    """A build in a process of its own, once it has begun to write."""
    command = [sys.executable, "-m", "data_pipeline.build_tfrecords", *_command(photos, frames, output)[1:]]
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # CI may run with SIGINT ignored
    )
    deadline = time.monotonic() + 60
    while not list(output.parent.glob(f".{output.name}.*.partial")) and time.monotonic() < deadline:
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_a_killed_run_leaves_no_data_folder(picture_folders, tmp_path):
    """Killed at several moments: the data folder is absent or whole, and the next run makes it."""
    photos, frames = _many_photos(picture_folders[0], tmp_path / "many"), picture_folders[1]
    output = tmp_path / "data"
    for delay in (0.0, 0.3, 0.6, 0.9):
        process = _start(photos, frames, output)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if output.exists():  # killed after its last act
            break
    else:
        assert build_tfrecords.main(_command(photos, frames, output)) == 0
    assert len(records.open_records(output).photos) == 280
    assert sorted(os.listdir(tmp_path)) == ["data", "many"]  # what the killed runs left is gone


@pytest.mark.slow
def test_an_interrupted_run_stops_at_once_and_leaves_nothing(picture_folders, tmp_path):
    process = _start(_many_photos(picture_folders[0], tmp_path / "many"), picture_folders[1], tmp_path / "data")
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "interrupted" in error and "Traceback" not in error
    assert os.listdir(tmp_path) == ["many"]


@pytest.mark.slow
def test_a_full_disk_is_an_error_and_leaves_nothing(picture_folders, tmp_path):
    """With a limit on the size of files, which stops writes as a full disk does."""
    command = [
        sys.executable,
        "-m",
        "data_pipeline.build_tfrecords",
        *_command(*picture_folders, tmp_path / "data")[1:],
    ]
    limited = ["bash", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "bash", *command]
    result = subprocess.run(limited, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert not os.listdir(tmp_path)
