import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference import contact_sheets
from cartoongan_tf.inference.jobs import Job, find_jobs
from cartoongan_tf.media import pictures
from tests.helpers import draw


@pytest.fixture
def jobs(tmp_path):
    """A folder of three photos, their results and a file that is no picture."""
    for index in range(3):
        pictures.write_picture(tmp_path / "album" / f"{index}.png", draw(index, 240, 238))
        pictures.write_picture(tmp_path / "out" / f"{index}.png", draw(index + 9, 240, 238))
    (tmp_path / "album" / "notes.txt").write_text("hello")
    return find_jobs([str(tmp_path / "album")], str(tmp_path / "out"))


def test_the_sheet_shows_photos_beside_their_cartoons(jobs, tmp_path):
    contact_sheets.write(jobs)
    sheet = pictures.read_picture(tmp_path / "out" / "contact-sheet.jpg").astype(int)
    for left, shown in ((8, draw(0, 240, 238)), (248, draw(9, 240, 238))):
        tile = sheet[8 : 8 + 240, left + 1 : left + 239]
        assert np.abs(tile.mean((0, 1)) - shown.mean((0, 1))).max() < 4
    assert sheet.shape[1] == 3 * (2 * 240 + 16)


def test_large_folders_are_sampled(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(contact_sheets, "MAX_ROWS", 2)
    contact_sheets.write(jobs)
    assert pictures.read_picture(tmp_path / "out" / "contact-sheet.jpg").shape[1] == 2 * (2 * 240 + 16)


def test_nothing_is_written_without_a_readable_picture(jobs, tmp_path):
    contact_sheets.write(jobs[3:])
    assert not (tmp_path / "out" / "contact-sheet.jpg").exists()


def test_a_sheet_that_cannot_be_written_is_refused(jobs, tmp_path):
    sheet = tmp_path / "out" / "contact-sheet.jpg"
    contact_sheets.check(jobs, overwrite=False)
    with pytest.raises(InputError, match="--contact_sheet"):
        contact_sheets.check([Job(tmp_path / "a.png", tmp_path / "b.png")], overwrite=True)
    sheet.touch()
    contact_sheets.check(jobs, overwrite=True)
    with pytest.raises(InputError, match=r"contact-sheet\.jpg: .*--overwrite"):
        contact_sheets.check(jobs, overwrite=False)


def test_a_sheet_never_replaces_a_picture(tmp_path):
    pictures.write_picture(tmp_path / "contact-sheet.jpg", draw(0))
    jobs = find_jobs([str(tmp_path)], str(tmp_path), ".png")  # its own result is contact-sheet.png
    with pytest.raises(InputError, match=r"contact-sheet\.jpg: .* that picture"):
        contact_sheets.check(jobs, overwrite=True)
