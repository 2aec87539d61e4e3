import sys

import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference_methods import METHODS, TORCH_CHANNELS_LAST


def _run(*arguments):
    return inference.main(["inference", *arguments])


def _rows(path):
    """The table's rows, cell by cell."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("memory_format", ["channels_last", "contiguous_format"])
def test_the_torch_network_draws_what_ours_draws(memory_format):
    torch = pytest.importorskip("torch", reason="torch, the peer, is not installed")
    from benchmarks import torch_generator
    from cartoongan_tf.models.authors_weights import generator_from_weights

    weights = torch_generator.random_weights(seed=0)
    photo = np.random.default_rng(1).uniform(-1, 1, (2, 16, 24, 3)).astype(np.float32)
    theirs = torch_generator.build(weights).to(memory_format=getattr(torch, memory_format))
    drawn = torch_generator.run(theirs, photo, getattr(torch, memory_format))
    assert drawn.std() > 0.1  # not a grey picture, which would hide what differs
    np.testing.assert_allclose(drawn, generator_from_weights(weights)(photo), atol=2e-4)


def _check_table(path, methods, sizes_px):
    rows = _rows(path)
    assert [(row[0], int(row[1])) for row in rows] == [(method, size) for size in sizes_px for method in methods]
    for method, _, seconds, ratio, peak_mb, loaded_mb, psnr_db in rows:
        assert float(seconds) > 0 and float(ratio) > 0
        assert 50 < float(loaded_mb.replace(",", "")) <= float(peak_mb.replace(",", "")) < 8000
        assert float(psnr_db) >= inference.MINIMUM_PSNR_DB
        assert method != TORCH_CHANNELS_LAST or float(ratio) == 1.0


@pytest.mark.slow
def test_a_table_of_each_method_at_each_size(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    methods = ["TFLite fp32, XNNPACK", TORCH_CHANNELS_LAST]  # these start quickly
    monkeypatch.setattr(inference, "METHODS", {method: METHODS[method] for method in methods})
    output = tmp_path / "table.md"
    assert _run("--sizes_px=16,24", "--rounds=2", "--threads=1", f"--output={output}") == 0
    _check_table(output, methods, [16, 24])
    assert output.read_text() in capsys.readouterr().out


@pytest.mark.slow
def test_all_methods_draw_the_same(tmp_path):
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    assert _run("--sizes_px=16", "--rounds=1", f"--output={tmp_path / 'table.md'}") == 0
    _check_table(tmp_path / "table.md", METHODS, [16])


def test_without_torch_it_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert _run(f"--output={tmp_path / 'table.md'}") == 1
    assert "pip install '.[benchmark]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "flag, complaint",
    [
        ("--sizes_px=big", "--sizes_px=big"),
        ("--sizes_px=16,18", "multiples of 4"),
        ("--sizes_px=4", "from 8 up"),
        ("--rounds=0", "--rounds"),
        ("--threads=-1", "--threads"),
    ],
)
def test_flags_that_cannot_be_used(flag, complaint, capsys):
    assert _run(flag) == 1
    assert complaint in capsys.readouterr().err


def test_weights_that_are_not_there(tmp_path, capsys):
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    assert _run(f"--weights={tmp_path / 'none.npz'}") == 1
    assert "none.npz" in capsys.readouterr().err


def test_methods_that_draw_another_picture_are_not_timed():
    class Fake:
        def __init__(self, value):
            self.value = value

        def draw(self, photo):
            return photo + self.value

    photo = np.zeros((1, 8, 8, 3), np.float32)
    same, other = {TORCH_CHANNELS_LAST: Fake(0.0), "a": Fake(1e-6)}, {TORCH_CHANNELS_LAST: Fake(0.0), "b": Fake(0.01)}
    assert inference._compare(same, photo)["a"] > 100
    with pytest.raises(inference.InputError, match="b draws another picture"):
        inference._compare(other, photo)
