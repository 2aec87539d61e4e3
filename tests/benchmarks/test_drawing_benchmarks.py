"""The benchmarks of large pictures, folders and films, on small ones."""

import pytest
import skimage.data

from benchmarks import archive, command, enlargement, face_drawings, flicker, folder, large_pictures
from cartoongan_tf.media import pictures
from tests.helpers import REPOSITORY, draw


def _cells(path):
    """The rows of a table, without the head."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture
def photos_dir(tmp_path):
    for seed in range(2):
        pictures.write_picture(tmp_path / "photos" / f"{seed}.png", draw(seed))
    return tmp_path / "photos"


@pytest.mark.slow
def test_large_pictures(generator_path, photos_dir, tmp_path):
    (photos_dir / "1.png").unlink()
    flags = [f"--model={generator_path}", f"--photos_dir={photos_dir}", f"--output={tmp_path}/table.md"]
    assert large_pictures.main(["x", *flags, "--sizes=40x30,64x40", "--largest_whole=1200"]) == 0
    small, large = _cells(tmp_path / "table.md")
    assert small[:2] == ["0.png", "40x30"] and large[:2] == ["0.png", "64x40"]
    assert float(small[-1]) > 60 or small[-1] == "inf"
    assert 100 < float(small[5].replace(",", "")) < 3000 and large[2] == large[-1] == ""
    assert large_pictures.main(["x", *flags, "--sizes=big"]) == 1


@pytest.mark.slow
def test_folder(generator_path, photos_dir, tmp_path):
    flags = [f"--model={generator_path}", f"--photos_dir={photos_dir}", f"--output={tmp_path}/table.md", "--rounds=2"]
    assert folder.main(["x", *flags]) == 0
    alone, drawn = _cells(tmp_path / "table.md")
    assert alone[0] == "model alone" and float(alone[2]) == 1.0 and float(drawn[2]) > 0.5


@pytest.mark.slow
def test_flicker(generator_path, tmp_path):
    from tests.films import make_film

    film = make_film(tmp_path / "clip.mp4")
    flags = [f"--model={generator_path}", f"--film={film}", f"--output={tmp_path}/table.md", "--max_frames=8"]
    assert flicker.main(["x", *flags]) == 0
    rows = _cells(tmp_path / "table.md")
    assert [row[0] for row in rows] == ["the film itself", *flicker.METHODS]
    assert "8 frames of 64x48 pixels" in (tmp_path / "table.md").read_text()
    assert flicker.main(["x", *flags, "--noaveraging"]) == 0
    assert _cells(tmp_path / "table.md") == rows[:2]


@pytest.mark.slow
def test_enlargement(generator_path, photos_dir, tmp_path):
    for seed in range(2):
        pictures.write_picture(photos_dir / f"{seed}.png", draw(seed, 420, 400))
    flags = [f"--model={generator_path}", f"--photos_dir={photos_dir}", f"--output={tmp_path}/table.md"]
    assert enlargement.main(["x", *flags, "--factor=2", f"--sheet={tmp_path}/sheet.png"]) == 0
    rows = _cells(tmp_path / "table.md")
    assert [row[0] for row in rows[2:]] == list(enlargement.METHODS)
    width = {row[0]: float(row[1]) for row in rows}
    assert width["shock filter (ours)"] < width["cubic"]
    assert pictures.read_picture(tmp_path / "sheet.png").shape[0] > 2 * 360


@pytest.mark.slow
def test_face_drawings(generator_path, photos_dir, tmp_path, capsys):
    flags = [f"--model=small={generator_path},pepper", f"--photos_dir={photos_dir}", "--long_side=128"]
    more = [f"--sheet={tmp_path}/sheet.png", f"--output={tmp_path}/table.md", "--num_photos=1"]
    assert face_drawings.main(["x", *flags]) == 1
    assert f"--photos_dir={photos_dir}" in capsys.readouterr().err
    for name in ("one", "two"):
        pictures.write_picture(photos_dir / f"{name}.png", skimage.data.astronaut())
    assert face_drawings.main(["x", *flags, *more]) == 0
    rows = _cells(tmp_path / "table.md")
    assert [row[0] for row in rows] == ["the photos", "small", "pepper"]
    assert all(5 < float(cell) < 60 for row in rows for cell in row[1:])
    assert "1 photos with 1 faces" in (tmp_path / "table.md").read_text()
    sheet = pictures.read_picture(tmp_path / "sheet.png")
    assert sheet.shape[1] > 4 * 240  # photo, teacher and two models


@pytest.mark.slow
def test_whole_commands(photos_dir, tmp_path):
    flags = [
        f"--checkouts={REPOSITORY},{REPOSITORY}/tests/..",
        f"--files={photos_dir}/0.png",
        f"--output={tmp_path}/table.md",
    ]
    assert command.main(["x", *flags, "--rounds=1", "--flags=--strength=0.5"]) == 0
    first, last = _cells(tmp_path / "table.md")
    assert first[0] == last[0] == "0.png" and first[1] != last[1] and last[3] == last[5] == "1.00"
    assert 0.1 < float(first[2]) < 60 and 50 < float(first[4].replace(",", "")) < 3000
    assert command.main(["x", *flags, "--flags=--style=none"]) == 1


@pytest.mark.slow
def test_archive(photos_dir, tmp_path):
    pytest.importorskip("distributed", reason="clusters of Dask need '.[dask]'")
    flags = [f"--photos_dir={photos_dir}", "--num_pictures=8", "--rounds=1", f"--output={tmp_path}/table.md"]
    assert archive.main(["x", *flags]) == 0
    one, two, killed = _cells(tmp_path / "table.md")
    assert (one[0], two[0], killed[0]) == ("1", "2", "2, one killed on the way")
    assert float(one[2]) == float(one[4]) == 1.0 and float(two[2]) > 0.3 and float(two[3]) > 0 < float(killed[1])
