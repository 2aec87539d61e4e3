import os
import subprocess
import sys

import pytest

from cartoongan_tf.base import atomic
from cartoongan_tf.base.errors import InputError
from tests.helpers import REPOSITORY


def test_a_file_is_replaced_when_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    for text in ("one", "two"):
        with atomic.replacing(path) as temporary:
            temporary.write_text(text)
        assert path.read_text() == text
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_comes_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder"
    with pytest.raises(KeyboardInterrupt), atomic.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "half").touch()
        raise KeyboardInterrupt
    assert not os.listdir(tmp_path)
    path.mkdir()  # an empty folder gives way
    with atomic.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "whole").touch()
    assert os.listdir(path) == ["whole"]


def test_a_full_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "precious").touch()
    with pytest.raises(OSError), atomic.replacing(tmp_path / "folder") as temporary:
        temporary.mkdir()
    assert os.listdir(tmp_path / "folder") == ["precious"]


def test_only_what_dead_processes_left_is_removed(tmp_path):
    """Other threads' unfinished files stay, also of a name that begins alike."""
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = tmp_path / f".a.{dead.stdout.strip()}.abcdefgh0.partial.txt"
    same_number = tmp_path / f".a.{os.getpid()}.abcdefgh7.partial.txt"  # a container's processes have few numbers
    unknown = tmp_path / ".a.b.partial.txt"
    for path in (left, same_number, unknown):
        path.touch()
    with atomic.replacing(tmp_path / "a.b.txt") as other, atomic.replacing(tmp_path / "a.txt") as first:
        other.write_text("other")
        first.write_text("first")
        with atomic.replacing(tmp_path / "a.txt") as second:
            second.write_text("second")
        assert not left.exists() and not same_number.exists()
        assert other.exists() and first.exists() and unknown.exists()
    assert (tmp_path / "a.b.txt").read_text() == "other" and (tmp_path / "a.txt").read_text() == "first"


def test_an_error_of_the_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as error, atomic.replacing(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(tmp_path / "a.txt")


def test_a_locked_folder_is_refused_until_its_owner_is_gone(tmp_path):
    code = "import sys; from cartoongan_tf.base import atomic; held = atomic.locked(sys.argv[1]); held.__enter__(); "
    owner = subprocess.Popen(
        [sys.executable, "-c", f"{code} print(1, flush=True); input()", str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout.readline() == "1\n"
    with pytest.raises(InputError, match="another run"), atomic.locked(tmp_path):
        pass
    owner.kill()
    owner.communicate()
    with atomic.locked(tmp_path):
        pass
    with atomic.locked(tmp_path / "new" / "folder"):
        assert (tmp_path / "new" / "folder").is_dir()
