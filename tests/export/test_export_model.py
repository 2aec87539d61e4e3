import os

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, import_weights
from export import export_model
from tests.helpers import draw


def _export(model, output_dir, name="demo"):
    return export_model.main(["export", f"--model={model}", f"--name={name}", f"--output_dir={output_dir}"])


def test_the_program_writes_every_file_and_says_what(generator_path, tmp_path, capsys):
    assert _export(generator_path, tmp_path) == 0
    printed = capsys.readouterr().out
    for path in ("serving/demo/1/saved_model.pb", "tflite/demo-fp32.tflite", "tflite/demo-fp16.tflite"):
        assert (tmp_path / path).exists() and path in printed
    assert _export(generator_path, tmp_path) == 0
    assert sorted(os.listdir(tmp_path / "serving" / "demo")) == ["1", "2"]
    assert sorted(os.listdir(tmp_path / "tflite")) == ["demo-fp16.tflite", "demo-fp32.tflite"]


@pytest.mark.parametrize("name", ["a/b", "", "..", "größe", "a b"])
def test_names_that_are_no_file_names_are_refused(generator_path, tmp_path, name, capsys):
    assert _export(generator_path, tmp_path, name) == 2
    assert "--name" in capsys.readouterr().err


def test_a_model_that_cannot_be_read_is_named(tmp_path, capsys):
    (tmp_path / "a.keras").write_text("hello")
    assert _export(tmp_path / "a.keras", tmp_path / "out") == 1
    assert "a.keras" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(generator_path, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert _export(generator_path, tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.slow
def test_the_full_generator_exports(assets, tmp_path, capsys):
    """The authors' Hayao generator in every form, at its full size."""
    model = tmp_path / "hayao.keras"
    assert import_weights.main(["x", f"--weights={assets}/authors/hayao.npz", f"--output={model}"]) == 0
    assert _export(model, tmp_path, "hayao") == 0
    print(capsys.readouterr().out)
    expected = Cartoonizer.load(model)(draw(0)).astype(int)
    for form, tolerance in (
        ("serving/hayao", 1),
        ("tflite/hayao-fp32.tflite", 1),
        ("tflite/hayao-fp16.tflite", 3),
    ):
        assert np.abs(Cartoonizer.load(tmp_path / form)(draw(0)) - expected).max() <= tolerance
    assert (tmp_path / "tflite" / "hayao-fp16.tflite").stat().st_size < 23e6
