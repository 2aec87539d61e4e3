"""Whole exports by the program; `test_exporter` has their order, and `test_config` the flags."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, import_weights
from cartoongan_tf.base import progress
from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from cartoongan_tf.models.generator_file import load_generator
from export import export_model
from tests.helpers import REPOSITORY, contents, draw

pytestmark = pytest.mark.slow


def _export(model, output_dir, *flags):
    arguments = [f"--model={model}", "--name=demo", f"--output_dir={output_dir}", "--fixed_size=64x32", *flags]
    return export_model.main(["export", *arguments])


@pytest.fixture(scope="module")
def exported(generator_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    assert _export(generator_path, folder, "--author=Ana", "--license=CC0-1.0") == 0
    return folder


def test_every_file_is_written_and_nothing_else(exported):
    names = {re.sub(r"serving/demo/1/.*", "serving/demo/1", name) for name in contents(exported)}
    tflite_names = {f"tflite/demo-{kind}.tflite" for kind in ("fp32", "fp16", "int8", "fp16-64x32")}
    texts = ("models.config", "README.md", "Dockerfile", "kubernetes.yaml", "monitoring.config")
    serving = {"serving/demo/1", *(f"serving/{name}" for name in texts)}
    assert names == tflite_names | serving | {"report.md", "report.json"}


def test_it_names_its_work_after_the_files(generator_path, tmp_path, monkeypatch):
    names = []
    stage = progress.stage
    monkeypatch.setattr(progress, "stage", lambda name: names.append(name) or stage(name))
    assert _export(generator_path, tmp_path, "--formats=saved_model") == 0
    parts = ["writing", "loading", "cartoons of photos", "cartoons of picture files", "many clients"]
    after_loading = names[names.index(f"loading {generator_path}") + 1 :]
    assert len(after_loading) == len(parts)
    for name, part in zip(after_loading, parts, strict=True):
        assert "the SavedModel" in name and part in name


def test_each_form_draws_what_the_generator_draws(generator_path, exported):
    photo = draw(0)
    expected = Cartoonizer.load(generator_path)(photo).astype(int)
    for form, tolerance in (("serving/demo", 1), ("tflite/demo-fp32.tflite", 1), ("tflite/demo-fp16.tflite", 4)):
        assert np.abs(Cartoonizer.load(exported / form)(photo) - expected).max() <= tolerance, form
    assert np.abs(Cartoonizer.load(exported / "tflite/demo-int8.tflite")(photo) - expected).mean() < 3


def test_the_report_has_sizes_parity_operators_and_the_commands(generator_path, exported):
    report = json.loads((exported / "report.json").read_text())
    text = (exported / "report.md").read_text()
    files = {entry["path"]: entry for entry in report["files"]}
    assert len(files) == 5
    for path, entry in files.items():
        on_disk = contents(exported / path) if (exported / path).is_dir() else {path: (exported / path).read_bytes()}
        assert entry["num_bytes"] == sum(map(len, on_disk.values()))
        is_of_fixed_size = path.endswith("-64x32.tflite")
        assert f"`{path}`" in text and entry["parity"]["num_photos"] == (1 if is_of_fixed_size else 4)
        assert ("its weights are those of `tflite/demo-fp16.tflite`" in entry["proof"]) == is_of_fixed_size
        assert 0.97 < entry["parity"]["ssim"] <= 1 and entry["parity"]["psnr_db"] >= (entry["budget_db"] or 40)
        assert entry["operators"] and not entry["is_below_budget"]
    assert files["tflite/demo-fp32.tflite"]["operators"]["CONV_2D"] == 18
    assert "int8" in files["tflite/demo-int8.tflite"]["stays_float"]
    assert "8 threads" in files["serving/demo/1"]["proof"]
    assert report["packages"]["tensorflow"] in text and report["model"]["sha256"] in text
    assert f" --model={generator_path} --name=demo" in text and "python -m export.export_model --output_dir=" in text
    assert "--author=Ana" in report["command"] and "--max_pixels" not in report["command"]


def test_the_reports_commands_run(exported, tmp_path, monkeypatch):
    """The first writes the same again; the second measures the files."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", (exported / "report.md").read_text(), re.MULTILINE | re.DOTALL)
    again, benchmark = block.splitlines()
    again = re.sub(r"--output_dir=\S+", f"--output_dir={tmp_path}", again)
    assert export_model.main([*again.split()[2:], "--formats=fp32"]) == 0
    first = (exported / "tflite" / "demo-fp32.tflite").read_bytes()
    second = (tmp_path / "tflite" / "demo-fp32.tflite").read_bytes()
    assert len(first) == len(second)
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, *benchmark.split()[1:], "--sizes_px=16", "--threads=1", "--rounds=1"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert "| demo-fp16-64x32.tflite | 64 x 32 | 1 |" in result.stdout
    assert "| demo-int8.tflite | 16 x 16" in result.stdout


def test_a_killed_export_leaves_no_version_and_the_next_one_clears_up(generator_path, tmp_path):
    arguments = [f"--model={generator_path}", "--name=demo", f"--output_dir={tmp_path}", "--formats=saved_model"]
    base = tmp_path / "serving" / "demo"
    with subprocess.Popen([sys.executable, "-m", "export.export_model", *arguments], cwd=REPOSITORY) as process:
        while not list(base.glob(".*/saved_model.pb")):  # it is written, and being checked
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert [path.name for path in base.iterdir() if path.name.isdecimal()] == []
    assert not list(tmp_path.rglob("models.config")) and not (tmp_path / "report.md").exists()
    assert _export(generator_path, tmp_path, "--formats=saved_model") == 0
    assert [path.name for path in base.iterdir()] == ["1"]
    assert not list(tmp_path.rglob(".*"))


def test_all_other_formats_and_photos_of_ones_own(generator_path, picture_folders, tmp_path):
    photos, _ = picture_folders
    flags = ["--formats=dynamic,int8_full", f"--calibration_dir={photos}", f"--photos_dir={photos}", "--fixed_size="]
    assert _export(generator_path, tmp_path, *flags) == 0
    assert {path.name for path in (tmp_path / "tflite").iterdir()} == {"demo-dynamic.tflite", "demo-int8_full.tflite"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["photos"] == f"7 photos of {photos}"
    assert [entry["budget_db"] for entry in report["files"]] == [None, None]
    assert Cartoonizer.load(tmp_path / "tflite" / "demo-int8_full.tflite")(draw(0)).shape == draw(0).shape


def test_the_full_generator_exports(assets, tmp_path):
    """The authors' Hayao generator at its full size, within the budgets; with a few small photos.

    The import compares its fp32 file, and other tests a SavedModel and a file of fixed size.
    """
    model = tmp_path / "hayao.keras"
    for photo in sorted((assets / "photos").glob("*.jpg"))[:2]:
        small = pictures.shrink(pictures.read_picture(photo), 192)
        pictures.write_picture(tmp_path / "photos" / photo.name, small)
    assert import_weights.main(["x", f"--weights={assets}/authors/hayao.npz", f"--output={model}"]) == 0
    flags = [
        "--formats=fp16,int8,int8_full",
        f"--calibration_dir={tmp_path}/photos",
        f"--photos_dir={tmp_path}/photos",
    ]
    flags += [f"--model={model}", "--name=hayao", f"--output_dir={tmp_path}", "--fixed_size="]
    # In a process of its own: it takes gigabytes, and later tests measure what this one holds.
    command = [sys.executable, "-m", "export.export_model", *flags]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stderr
    print(result.stdout)
    report = json.loads((tmp_path / "report.json").read_text())
    entries = {entry["path"]: entry for entry in report["files"]}
    assert "stayed float" not in entries["tflite/hayao-int8.tflite"]["stays_float"]
    assert entries["tflite/hayao-int8_full.tflite"]["parity"]["psnr_db"] > 30
    assert entries["tflite/hayao-fp16.tflite"]["num_bytes"] < 23e6
    assert entries["tflite/hayao-int8.tflite"]["num_bytes"] < 12e6
    expected = np.asarray(pixels.cartoonize(load_generator(model), draw(0)[np.newaxis]))[0].astype(int)
    for form, tolerance in (("hayao.keras", 1), ("tflite/hayao-fp16.tflite", 3)):
        assert np.abs(Cartoonizer.load(tmp_path / form)(draw(0)) - expected).max() <= tolerance, form
