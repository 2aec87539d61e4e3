import numpy as np
import pytest

from benchmarks import inference
from benchmarks.inference_methods import METHODS, TORCH
from cartoongan_tf.base import extras
from cartoongan_tf.base.errors import InputError


def _run(*arguments):
    return inference.main(["inference", *arguments])


def _rows(path):
    """The table's rows, cell by cell."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.slow
def test_the_torch_network_gives_the_same_cartoons():
    pytest.importorskip("torch", reason="torch, the peer, is not installed")
    from benchmarks import torch_builder, torch_generator
    from cartoongan_tf.models.generator import build_generator

    photo = np.random.default_rng(1).uniform(-1, 1, (2, 16, 24, 3)).astype(np.float32)
    for kind in ("paper", "light", "narrow"):
        generator = build_generator(kind, width=8, num_blocks=2)
        cartoon = torch_generator.run(torch_builder.build(generator), photo)
        assert cartoon.std() > 0.02, kind  # a grey picture would hide differences
        np.testing.assert_allclose(cartoon, generator(photo), atol=2e-4, err_msg=kind)


@pytest.mark.slow
def test_the_table_has_all_methods_which_give_the_same_cartoons(light_path, tmp_path, capsys):
    for package in ("torch", "openvino", "onnxruntime", "tf2onnx"):
        pytest.importorskip(package, reason=f"{package}, a peer, is not installed")
    output = tmp_path / "table.md"
    assert _run(f"--model={light_path}", "--sizes_px=16", "--rounds=1", f"--output={output}") == 0
    rows = _rows(output)
    assert [row[:2] for row in rows] == [[method, "16"] for method in METHODS]
    for method, _, milliseconds, ratio, peak_mb, loaded_mb, psnr_db in rows:
        assert float(milliseconds) > 0 and float(ratio) >= 0  # 0.00 where the peer was slow on a busy machine
        assert 50 < float(loaded_mb.replace(",", "")) <= float(peak_mb.replace(",", "")) < 8000
        assert float(psnr_db) >= inference.MINIMUM_PSNR_DB
        assert method != TORCH or float(ratio) == 1.0
    assert output.read_text() in capsys.readouterr().out


def test_without_a_peer_its_installation_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(extras.PACKAGES, "benchmark", {"no_such_package": "torch"})
    assert _run(f"--output={tmp_path / 'table.md'}") == 1
    assert "pip install '.[benchmark]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_flags_that_cannot_be_used(capsys):
    for flag in ("--sizes_px=big", "--sizes_px=16,18", "--sizes_px=4"):
        assert _run(flag) == 1, flag
        assert f"{flag}: " in capsys.readouterr().err


def test_methods_that_give_another_cartoon_are_not_timed():
    class Fake:
        def __init__(self, value):
            self.value = value

        def draw(self, photo):
            return photo + self.value

    photo = np.zeros((1, 8, 8, 3), np.float32)
    same = {TORCH: Fake(0.0), "a": Fake(1e-6)}
    other = {TORCH: Fake(0.0), "b": Fake(0.01)}
    assert inference.compare(same, photo)["a"] > 100
    with pytest.raises(InputError, match="at 8 px b "):
        inference.compare(other, photo)
