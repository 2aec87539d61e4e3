import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media.storage import check_apart, folder_at


def test_results_lie_apart_from_pictures(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    folders = {"photos_dir": str(tmp_path / "photos"), "cartoons_dir": "gs://bucket/frames"}
    for output in (tmp_path / "photos2", tmp_path, "gs://bucket/frames2", "gs://bucket"):
        check_apart(str(output), folders)
    for output, flag in (
        (tmp_path / "photos", "photos_dir"),
        (tmp_path / "link" / "data", "photos_dir"),
        ("gs://bucket/frames/", "cartoons_dir"),
        ("gs://bucket/frames/data", "cartoons_dir"),
    ):
        with pytest.raises(InputError, match=f"--output_dir={output}.*--{flag}="):
            check_apart(str(output), folders)


def test_a_listing_leaves_hidden_files_and_notes_out(tmp_path):
    for name in ("b/a.png", "a.png", "b/.hidden.png", ".git/a.png", "frames.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "broken.png").symlink_to(tmp_path / "nothing")
    listing = folder_at(str(tmp_path)).pictures()
    assert dict(zip(listing.names, listing.sizes, strict=True)) == {"a.png": 5, "b/a.png": 7, "broken.png": -1}
