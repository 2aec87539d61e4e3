import os

import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import folders


def test_files_are_listed_in_order_without_hidden_ones(tmp_path):
    for name in ("b.jpg", "a/z.jpg", "a/.hidden.jpg", ".thumbnails/c.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert folders.list_files(tmp_path) == [tmp_path / "a/z.jpg", tmp_path / "b.jpg"]


def test_pipes_are_no_pictures_and_broken_links_are_listed(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "none.jpg")
    assert folders.list_files(tmp_path) == [tmp_path / "broken.jpg"]


def test_linked_folders_are_followed_once(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.jpg").touch()
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "loop").symlink_to(tmp_path / "album")
    assert folders.list_files(tmp_path / "album") == [tmp_path / "album" / "link" / "a.jpg"]


@pytest.mark.parametrize("name, message", [("none", "no such folder"), ("file", "not a folder"), ("empty", "is empty")])
def test_folders_without_files_are_errors(tmp_path, name, message):
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        folders.list_files(tmp_path / name)


@pytest.mark.parametrize("count, first", [(4, [0, 3, 6, 9]), (10, list(range(10))), (1, [0]), (99, list(range(10)))])
def test_a_few_files_are_spread_over_all(count, first):
    order = folders.evenly_spaced(list(range(10)), count)
    assert order[:count] == first and sorted(order) == list(range(10))
