"""On real work, in a log: something is said, or moves, at least every five seconds."""

import os
import selectors
import subprocess
import sys
import time

import numpy as np
import pytest

from cartoongan_tf.media import pictures
from tests.helpers import REPOSITORY, TINY_NETWORKS, draw

MOST_SILENT_SECS = 5.0
TRAIN = ["cartoongan_tf.train", "--run_dir=run", "--vgg19_weights=random", "--batch_size=2", "--validation_batches=0"]
COMMANDS = {
    "cartoonize": ["cartoongan_tf.cartoonize", "--full_size", "large.png"],
    "export": ["export.export_model", "--output_dir=exported"],
    "dry_run": [*TRAIN, *TINY_NETWORKS, "--dry_run"],
    "train": [*TRAIN, *TINY_NETWORKS, "--initialization_epochs=1", "--adversarial_epochs=1"],
    "evaluate": ["cartoongan_tf.evaluate", "--model=pepper", "--output_dir=evaluation", "--vgg19_weights=random",
                 "--crop_px=32", "--num_crops=40"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.exclusive
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_silent_for_long(name, data_dir, picture_folders, tmp_path):
    command = [sys.executable, "-m", *COMMANDS[name]]
    if name in ("dry_run", "train"):
        command.append(f"--data_dir={data_dir}")
    if name == "evaluate":
        command += [f"--photos_dir={picture_folders[0]}", f"--cartoons_dir={picture_folders[1]}"]
    pictures.write_picture(tmp_path / "large.png", np.tile(draw(0, 200, 300), (10, 10, 1)))
    status, silences, log = _run(command, tmp_path)
    assert status == 0, log
    longest = max(silences)
    assert longest[0] <= MOST_SILENT_SECS, f"{longest[0]:.1f} s before {longest[1]!r}\n{log}"


def _run(command, folder):
    """Run a command; return its status, each silence in seconds with what ended it, and all that it said."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    program = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    )
    silences, said, before = [], [], time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(program.stdout, selectors.EVENT_READ)
        while selector.select(timeout=600):
            part = os.read(program.stdout.fileno(), 65536)
            now = time.monotonic()
            silences.append((now - before, part[-80:].decode(errors="replace")))
            before = now
            if not part:
                break
            said.append(part)
    return program.wait(timeout=60), silences, b"".join(said).decode(errors="replace")[-3000:]
