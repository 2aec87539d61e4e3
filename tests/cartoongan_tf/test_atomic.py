import os

import pytest

from cartoongan_tf import atomic


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
