import numpy as np
import pytest

from benchmarks import edge_smoothing
from cartoongan_tf.media import pictures
from tests.helpers import draw


@pytest.fixture
def cartoons_dir(tmp_path):
    for seed in range(3):
        pictures.write_picture(tmp_path / "cartoons" / f"{seed}.png", draw(seed, 48, 64))
    return tmp_path / "cartoons"


def _run(cartoons_dir, *flags):
    return edge_smoothing.main(["x", f"--cartoons_dir={cartoons_dir}", *flags])


def test_a_table_of_each_cartoon_and_all(cartoons_dir, tmp_path):
    output = tmp_path / "table.md"
    assert _run(cartoons_dir, "--image_size=32", "--num_cartoons=2", "--rounds=1", f"--output={output}") == 0
    lines = [line for line in output.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert sorted(row[0] for row in rows[:2]) == ["0.png", "2.png"] and rows[2][0] == "all 2"
    for row in rows:
        loop_ms, our_ms, ratio, difference = map(float, row[2:])
        assert loop_ms > our_ms > 0 and ratio > 5 and difference <= 1
    assert float(rows[0][1].rstrip("%")) <= float(rows[1][1].rstrip("%"))


def test_other_work_is_not_timed_against(cartoons_dir, monkeypatch, capsys):
    monkeypatch.setattr(edge_smoothing, "smooth_edges", lambda cartoon: np.minimum(cartoon, 250) + np.uint8(4))
    assert _run(cartoons_dir, "--image_size=32", "--rounds=1") == 1
    assert ".png: " in capsys.readouterr().err
