"""`cartoonize` on disks that are full or cannot be written, mounted in a namespace of their own."""

import subprocess
import sys

import numpy as np
import pytest

from cartoongan_tf.media import pictures
from tests.helpers import REPOSITORY

# Nothing is cartoonized here: the photo itself is written.
PROGRAM = """
import contextlib, sys
from cartoongan_tf import cartoonize

class Unchanged:
    def load(self): pass
    def __call__(self, photo, strength, keep_colors): return photo

cartoonize.isolated_cartoonizer = lambda *_: contextlib.nullcontext(Unchanged())
sys.exit(cartoonize.main(["cartoonize", *sys.argv[1:]]))
"""


def _run(options, disk, output, source, then="true"):
    """Mount a disk with some options, run the program on it, then a shell command; skip where that is impossible."""
    disk.mkdir()
    script = (
        f'mount -t tmpfs -o {options} tmpfs {disk} || exit 99; {sys.executable} -c "$0" --output={output} {source}; '
    )
    script += f"echo status $?; {then}"
    command = ["unshare", "-rm", "sh", "-c", script, PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.splitlines()[0]}")
    return done


@pytest.fixture
def album(tmp_path):
    """Nine pictures of noise, which takes some 12 KB each."""
    for index in range(9):
        noise = np.random.default_rng(index).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        pictures.write_picture(tmp_path / "album" / f"{index}.png", noise)
    return tmp_path / "album"


def test_a_disk_that_cannot_be_written_is_reported_at_once(album, tmp_path):
    """Even root cannot write to a disk mounted read-only."""
    disk = tmp_path / "disk"
    done = _run("ro", disk, f"{disk}/drawn.png", album / "0.png")
    assert "status 1" in done.stdout
    assert f"drawn.png: {disk} is not a folder" in done.stderr


@pytest.mark.parametrize("size_kb, num_written", [(8, 0), (64, 4)])
def test_a_full_disk_stops_the_run_and_leaves_complete_files(album, tmp_path, size_kb, num_written):
    disk = tmp_path / "disk"
    then = f"find {disk}/drawn -type f -exec cp {{}} {tmp_path} ';'; ls -A {disk}/drawn"
    done = _run(f"size={size_kb}k", disk, f"{disk}/drawn", album, then)
    assert "status 1" in done.stdout and "No space left on device" in done.stderr
    assert f"{disk}/drawn/" in done.stderr and "Traceback" not in done.stderr
    names = done.stdout.split("status 1")[1].split()
    assert all(name.endswith(".png") and not name.startswith(".") for name in names)
    assert num_written <= len(names) < 9
    for name in names:
        assert pictures.read_picture(tmp_path / name).shape == (64, 64, 3)
