import numpy as np
import pytest

from benchmarks import swapped_folders
from cartoongan_tf.media import pictures
from tests.helpers import draw


@pytest.fixture
def folders(tmp_path):
    """Drawings with dark outlines, and grey noise in the photos' place."""
    rng = np.random.default_rng(0)
    for seed in range(8):
        noise = rng.integers(60, 200, (48, 64, 1)).astype(np.uint8).repeat(3, 2)
        pictures.write_picture(tmp_path / "photos" / f"{seed}.png", noise)
        pictures.write_picture(tmp_path / "cartoons" / f"{seed}.png", draw(seed, 48, 64) // 2 + np.uint8(60))
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return [f"--photos_dir={tmp_path}/photos", f"--cartoons_dir={tmp_path}/cartoons"]


def test_a_table_of_each_change(folders, tmp_path):
    output = tmp_path / "table.md"
    flags = ["--sizes=32,48", "--set_size=6", "--rounds=4", f"--output={output}"]
    assert swapped_folders.main(["x", *folders, *flags]) == 0
    lines = [line for line in output.read_text().splitlines() if line.startswith("|")]
    head, separator, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) == 2 * (1 + 2 * len(swapped_folders.CHANGES))
    assert {len(row) for row in rows} == {len(head)} == {len(separator)}
    first = dict(zip(head, rows[0], strict=True))
    assert first["px"] == "32" and float(first["both first"]) > 0.9
    assert (first["warned, right order"], first["warned, swapped"]) == ("0.0%", "100.0%")


def test_flags_that_cannot_be_used(folders, capsys):
    for flag in ("--sizes=big", "--sizes=8"):
        assert swapped_folders.main(["x", *folders, flag]) == 2, flag
        assert flag in capsys.readouterr().err
