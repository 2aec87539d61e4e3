"""The order of an export: everything is made and compared before anything is published.

The files are ready-made here; `test_export_model` has whole exports.
"""

import json
import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base import machine
from cartoongan_tf.base.errors import InputError
from export import export_model, exporter, parity, report, tflite
from export.serving import check, saved_model
from export.serving.layout import parse_config
from tests.helpers import contents, draw


def _export(model, output_dir, *flags, name="demo"):
    return export_model.main(
        ["export", f"--model={model}", f"--name={name}", f"--output_dir={output_dir}", "--fixed_size=", *flags]
    )


@pytest.fixture(scope="module")
def photos_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(draw(0, 24, 32)).save(folder / "photo.png")
    return folder


@pytest.fixture
def export(generator_path, photos_dir, converted, version, monkeypatch):
    """Run an export with a .tflite file and a SavedModel that were made before, and without the check."""
    perfect = parity.compare([np.zeros((1, 16, 16, 3), np.float32)], [np.zeros((1, 16, 16, 3), np.float32)])
    proof = check.ServingProof(0, 12, perfect, 3, 8, ["Conv2D"])
    content = converted("paper", "fp32")
    monkeypatch.setattr(tflite.Converter, "convert", lambda *_: content)
    monkeypatch.setattr(saved_model, "write_version", lambda _, folder, *_rest: shutil.copytree(version, folder))
    monkeypatch.setattr(check, "check_version", lambda *_: proof)

    def export(output_dir, *flags, name="demo"):
        return _export(generator_path, output_dir, f"--photos_dir={photos_dir}", *flags, name=name)

    return export


def test_the_next_export_is_the_next_version(export, tmp_path):
    for _ in range(2):
        assert export(tmp_path, "--formats=saved_model") == 0
    assert sorted(os.listdir(tmp_path / "serving" / "demo")) == ["1", "2"]


def test_an_existing_version_is_not_overwritten(export, tmp_path, capsys):
    assert export(tmp_path, "--formats=saved_model", "--model_version=1") == 0
    before = contents(tmp_path)
    assert export(tmp_path, "--formats=saved_model", "--model_version=1") == 1
    error = capsys.readouterr().err
    assert "serving/demo/1" in error and "--model_version" in error
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_several_styles_share_a_serving_folder(export, tmp_path):
    assert export(tmp_path, "--formats=saved_model,fp32") == 0
    assert export(tmp_path, "--formats=saved_model", name="rain") == 0
    config = tmp_path / "serving" / "models.config"
    assert parse_config(config.read_text(), config) == ["demo", "rain"]
    readme = (tmp_path / "serving" / "README.md").read_text()
    assert "--model=rain" in readme and "demo, rain" in readme
    dockerfile = (tmp_path / "serving" / "Dockerfile").read_text()
    assert "COPY demo /models/demo\nCOPY rain /models/rain\n" in dockerfile
    assert "image: cartoons:rain-1\n" in (tmp_path / "serving" / "kubernetes.yaml").read_text()
    assert json.loads((tmp_path / "report.json").read_text())["of_earlier_exports"] == ["tflite/demo-fp32.tflite"]
    assert "tflite/demo-fp32.tflite" in (tmp_path / "report.md").read_text()
    assert export(tmp_path, "--formats=fp32") == 0
    assert json.loads((tmp_path / "report.json").read_text())["of_earlier_exports"] == []


def test_a_file_below_its_budget_fails_and_nothing_is_written(export, brightening, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tflite.Converter, "convert", lambda *_: brightening(0.0))  # the photo itself
    assert export(tmp_path / "out", "--formats=fp32,saved_model") == 1
    error = capsys.readouterr().err
    assert "tflite/demo-fp32.tflite" in error and "--allow_low_parity" in error and "--formats" in error
    assert not contents(tmp_path / "out")
    assert export(tmp_path / "out", "--formats=fp32", "--allow_low_parity") == 0
    assert "BELOW BUDGET" in capsys.readouterr().out
    assert "**missed**" in (tmp_path / "out" / "report.md").read_text()
    (entry,) = json.loads((tmp_path / "out" / "report.json").read_text())["files"]
    assert entry["is_below_budget"]


def test_a_version_that_fails_its_check_is_not_published(export, tmp_path, monkeypatch, capsys):
    """Nor anything beside it."""

    def fail(*_):
        raise InputError("differs")

    monkeypatch.setattr(check, "check_version", fail)
    assert export(tmp_path, "--formats=fp32,saved_model") == 1
    assert "differs" in capsys.readouterr().err
    assert not contents(tmp_path)


def test_a_server_that_polls_sees_complete_versions_only(export, tmp_path, monkeypatch):
    """A version has a name that is no number while it is checked; models.config gets its name after the version."""
    names = []
    check_version = check.check_version

    def look(*arguments):
        names.extend(os.listdir(tmp_path / "serving" / "demo"))
        return check_version(*arguments)

    published = []
    replace = os.replace

    def note(source, target):
        published.append(os.path.relpath(target, tmp_path))
        replace(source, target)

    monkeypatch.setattr(check, "check_version", look)
    monkeypatch.setattr(os, "replace", note)
    assert export(tmp_path, "--formats=saved_model,fp32") == 0
    (name,) = names
    assert not name.isdecimal() and name.startswith(".")
    assert os.listdir(tmp_path / "serving" / "demo") == ["1"]
    assert published[-2:] == ["serving/demo/1", "serving/models.config"] and len(published) == 9


def test_where_one_file_cannot_be_written_none_is(export, tmp_path, capsys):
    for place in ("report.json", "serving/README.md"):
        folder = tmp_path / place.replace("/", "-")
        (folder / place).mkdir(parents=True)
        (folder / place / "in the way").touch()
        before = sorted(folder.rglob("*"))
        assert export(folder, "--formats=fp32,saved_model") == 1, place
        assert os.path.basename(place) in capsys.readouterr().err
        assert sorted(folder.rglob("*")) == before, place


def test_inputs_that_cannot_be_used_are_named(generator_path, tmp_path, capsys):
    (tmp_path / "a.keras").write_text("hello")
    (tmp_path / "file").touch()
    assert _export(tmp_path / "a.keras", tmp_path / "out") == 1
    assert "a.keras" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert _export(generator_path, tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err
    for flag in ("photos_dir", "calibration_dir"):
        flags = ["--formats=int8_full", "--calibration_dir=x", f"--{flag}=none"]
        assert _export(generator_path, tmp_path / "out", *flags) == 1
        assert "none: no such folder" in capsys.readouterr().err, flag


@pytest.mark.parametrize("flag, value, most_values", [("max_pixels", 10**9, 2**30), ("fixed_size", "4096x4096", 2**23)])
def test_sizes_that_tensorflow_does_not_compute_in_one_piece_are_refused(
    generator_path, tmp_path, monkeypatch, capsys, flag, value, most_values
):
    """The network has 4 values a pixel; the processor is one of 16 threads without AVX-512."""
    monkeypatch.setattr(machine, "has_avx512", lambda: False)
    monkeypatch.setattr(machine, "uses_onednn", lambda: True)
    monkeypatch.setattr(machine, "num_threads", lambda: 16)
    assert _export(generator_path, tmp_path / "exported", f"--{flag}={value}") == 1
    error = capsys.readouterr().err
    assert f"--{flag}={value}" in error
    most = int(re.search(r"at most (\d+)", error)[1])
    assert 0.9 * most_values / 4 <= most <= most_values / 4
    assert not (tmp_path / "exported").exists()


def test_require_budgets_names_every_file_that_is_too_low():
    photo = parity.fitting(draw(0, 16, 16))
    low = parity.compare([photo], [photo + 0.2])  # 20 dB
    fields = {"format": "fp32", "takes": "", "operators": {}, "stays_float": "", "parity": low}
    entries = [
        report.Entry.of_file(b"", path=path, budget_db=budget_db, **fields)
        for path, budget_db in (("low", 20.5), ("good", 19.5), ("free", None), ("lower", 60.0))
    ]
    with pytest.raises(InputError) as caught:
        exporter.require_budgets(entries)
    message = str(caught.value)
    assert re.findall(r"(\w+) has", message) == ["low", "lower"] and "20.0 dB" in message
    exporter.require_budgets(entries, allow_low_parity=True)
    exporter.require_budgets(entries[1:3])
