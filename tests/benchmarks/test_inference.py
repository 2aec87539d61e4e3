import sys

import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference_methods import METHODS, TORCH_CHANNELS_LAST
from cartoongan_tf.base.errors import InputError


def _run(*arguments):
    return inference.main(["inference", *arguments])


def _rows(path):
    """The table's rows, cell by cell."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.slow
def test_the_torch_network_gives_the_same_cartoons():
    torch = pytest.importorskip("torch", reason="torch, the peer, is not installed")
    from benchmarks import torch_generator
    from cartoongan_tf.models.authors_weights import generator_from_weights

    weights = torch_generator.random_weights(seed=0)
    photo = np.random.default_rng(1).uniform(-1, 1, (2, 16, 24, 3)).astype(np.float32)
    expected = generator_from_weights(weights)(photo)
    for memory_format in (torch.channels_last, torch.contiguous_format):
        generator = torch_generator.build(weights).to(memory_format=memory_format)
        cartoon = torch_generator.run(generator, photo, memory_format)
        assert cartoon.std() > 0.1  # a grey picture would hide differences
        np.testing.assert_allclose(cartoon, expected, atol=2e-4, err_msg=str(memory_format))


@pytest.mark.slow
def test_the_table_has_all_methods_which_give_the_same_cartoons(tmp_path, capsys):
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    output = tmp_path / "table.md"
    assert _run("--sizes_px=16", "--rounds=1", f"--output={output}") == 0
    rows = _rows(output)
    assert [row[:2] for row in rows] == [[method, "16"] for method in METHODS]
    for method, _, seconds, ratio, peak_mb, loaded_mb, psnr_db in rows:
        assert float(seconds) > 0 and float(ratio) >= 0  # 0.00 where the peer was slow on a busy machine
        assert 50 < float(loaded_mb.replace(",", "")) <= float(peak_mb.replace(",", "")) < 8000
        assert float(psnr_db) >= inference.MINIMUM_PSNR_DB
        assert method != TORCH_CHANNELS_LAST or float(ratio) == 1.0
    assert output.read_text() in capsys.readouterr().out


def test_without_torch_its_installation_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert _run(f"--output={tmp_path / 'table.md'}") == 1
    assert "pip install '.[benchmark]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_flags_that_cannot_be_used(capsys):
    for flag in ("--sizes_px=big", "--sizes_px=16,18", "--sizes_px=4"):
        assert _run(flag) == 1, flag
        assert f"{flag}: " in capsys.readouterr().err


@pytest.mark.slow
def test_weights_that_do_not_exist(tmp_path, capsys):
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    assert _run(f"--weights={tmp_path / 'none.npz'}") == 1
    assert "none.npz" in capsys.readouterr().err


def test_methods_that_give_another_cartoon_are_not_timed():
    class Fake:
        def __init__(self, value):
            self.value = value

        def draw(self, photo):
            return photo + self.value

    photo = np.zeros((1, 8, 8, 3), np.float32)
    same = {TORCH_CHANNELS_LAST: Fake(0.0), "a": Fake(1e-6)}
    other = {TORCH_CHANNELS_LAST: Fake(0.0), "b": Fake(0.01)}
    assert inference.compare(same, photo)["a"] > 100
    with pytest.raises(InputError, match="at 8 px b "):
        inference.compare(other, photo)
