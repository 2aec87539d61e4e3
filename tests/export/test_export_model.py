import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, import_weights
from cartoongan_tf.base import machine
from export import export_model, exporter, tflite
from export.serving import check
from export.serving.layout import parse_config
from tests.helpers import REPOSITORY, contents, draw


def _export(model, output_dir, *flags, name="demo"):
    arguments = [f"--model={model}", f"--name={name}", f"--output_dir={output_dir}", "--fixed_size=64x32", *flags]
    return export_model.main(["export", *arguments])


@pytest.fixture(scope="module")
def exported(generator_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    assert _export(generator_path, folder, "--author=Ana", "--license=CC0-1.0") == 0
    return folder


def test_every_file_is_there_and_nothing_else(exported):
    names = {re.sub(r"serving/demo/1/.*", "serving/demo/1", name) for name in contents(exported)}
    tflite_names = {f"tflite/demo-{kind}.tflite" for kind in ("fp32", "fp16", "int8", "fp16-64x32")}
    serving = {"serving/demo/1", "serving/models.config", "serving/README.md"}
    assert names == tflite_names | serving | {"report.md", "report.json"}


def test_each_form_draws_what_the_generator_draws(generator_path, exported):
    expected = Cartoonizer.load(generator_path)(draw(0)).astype(int)
    for form, tolerance in (("serving/demo", 1), ("tflite/demo-fp32.tflite", 1), ("tflite/demo-fp16.tflite", 4)):
        assert np.abs(Cartoonizer.load(exported / form)(draw(0)) - expected).max() <= tolerance, form
    assert np.abs(Cartoonizer.load(exported / "tflite/demo-int8.tflite")(draw(0)) - expected).mean() < 3


def test_the_report_tells_sizes_parity_operators_and_how_to_do_it_again(generator_path, exported):
    report = json.loads((exported / "report.json").read_text())
    text = (exported / "report.md").read_text()
    files = {entry["path"]: entry for entry in report["files"]}
    assert len(files) == 5
    for path, entry in files.items():
        on_disk = contents(exported / path) if (exported / path).is_dir() else {path: (exported / path).read_bytes()}
        assert entry["num_bytes"] == sum(map(len, on_disk.values()))
        assert f"`{path}`" in text and entry["parity"]["num_photos"] == 4
        assert 0.97 < entry["parity"]["ssim"] <= 1 and entry["parity"]["psnr_db"] >= (entry["budget_db"] or 40)
        assert entry["operators"] and not entry["is_below_budget"]
    assert files["tflite/demo-fp32.tflite"]["operators"]["CONV_2D"] == 18
    assert "kernels of convolutions are int8" in files["tflite/demo-int8.tflite"]["stays_float"]
    assert "8 threads got the same bytes" in files["serving/demo/1"]["proof"]
    assert report["packages"]["tensorflow"] in text and report["model"]["sha256"] in text
    assert f" --model={generator_path} --name=demo" in text and "python -m export.export_model --output_dir=" in text
    assert "--author=Ana" in report["command"] and "--max_pixels" not in report["command"]


@pytest.mark.slow
def test_the_reports_commands_run(exported, tmp_path, monkeypatch):
    """The first writes the same again; the second measures the files."""
    (block,) = re.findall(r"^```sh\n(.*?)^```", (exported / "report.md").read_text(), re.MULTILINE | re.DOTALL)
    again, benchmark = block.splitlines()
    again = re.sub(r"--output_dir=\S+", f"--output_dir={tmp_path}", again)
    assert export_model.main([*again.split()[2:], "--formats=fp32"]) == 0
    first, second = ((folder / "tflite" / "demo-fp32.tflite").read_bytes() for folder in (exported, tmp_path))
    assert len(first) == len(second)
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, *benchmark.split()[1:], "--sizes_px=16", "--threads=1", "--rounds=1"]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert (
        "| demo-fp16-64x32.tflite | 64 x 32 | 1 |" in result.stdout and "| demo-int8.tflite | 16 x 16" in result.stdout
    )


def test_the_next_export_is_the_next_version(generator_path, exported):
    assert _export(generator_path, exported, "--formats=saved_model") == 0
    assert sorted(os.listdir(exported / "serving" / "demo")) == ["1", "2"]


def test_a_version_that_is_there_is_not_written_over(generator_path, exported, capsys):
    before = contents(exported)
    assert _export(generator_path, exported, "--model_version=1") == 1
    said = capsys.readouterr().err
    assert "serving/demo/1: there already" in said and "--model_version" in said
    assert contents(exported) == before


@pytest.mark.slow
def test_several_styles_share_a_serving_folder(generator_path, exported):
    assert _export(generator_path, exported, "--formats=saved_model", name="rain") == 0
    config = exported / "serving" / "models.config"
    assert parse_config(config.read_text(), config) == ["demo", "rain"]
    text = (exported / "serving" / "README.md").read_text()
    assert "--model=rain" in text and "Models here: demo, rain." in text
    assert "of earlier exports" in (exported / "report.md").read_text().lower()
    assert "tflite/demo-fp32.tflite" in json.loads((exported / "report.json").read_text())["of_earlier_exports"]


def test_a_file_below_its_budget_fails_and_nothing_is_written(generator_path, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(tflite.BUDGETS_DB, "fp16", 500.0)
    assert _export(generator_path, tmp_path / "out", "--formats=fp32,fp16") == 1
    said = capsys.readouterr().err
    assert re.search(r"tflite/demo-fp16\.tflite has \d+\.\d dB, where 500 are wanted", said)
    assert "--allow_low_parity" in said and not contents(tmp_path / "out")
    assert _export(generator_path, tmp_path / "out", "--formats=fp32,fp16", "--allow_low_parity") == 0
    assert "BELOW BUDGET" in capsys.readouterr().out
    assert "**missed**" in (tmp_path / "out" / "report.md").read_text()


def test_int8_keeps_more_in_float_until_it_keeps_the_budget(generator_path, tmp_path, monkeypatch):
    monkeypatch.setitem(tflite.BUDGETS_DB, "int8", 44.0)  # between what the second and the third choice have
    assert _export(generator_path, tmp_path, "--formats=int8") == 0
    (entry,) = json.loads((tmp_path / "report.json").read_text())["files"]
    assert "all kernels but those of the residual blocks stayed float" in entry["stays_float"]
    assert entry["parity"]["psnr_db"] > 44


def test_a_version_that_fails_its_check_is_not_published(generator_path, tmp_path, monkeypatch, capsys):
    """Nor anything beside it: all files are checked before any gets its name."""

    def fail(*_):
        raise exporter.InputError("differs")

    monkeypatch.setattr(check, "_check_threads", fail)
    assert _export(generator_path, tmp_path, "--formats=fp32,saved_model") == 1
    assert "differs" in capsys.readouterr().err
    assert not contents(tmp_path)


@pytest.mark.slow
def test_a_server_that_polls_sees_whole_versions_alone(generator_path, tmp_path, monkeypatch):
    """While it is checked, a version lies under a name that is no number."""
    seen = []
    check_version = check.check_version

    def look(generator, folder, *rest):
        seen.append([path.name for path in folder.parent.iterdir()])
        return check_version(generator, folder, *rest)

    monkeypatch.setattr(check, "check_version", look)
    assert _export(generator_path, tmp_path, "--formats=saved_model") == 0
    ((name,),) = seen
    assert not name.isdecimal() and name.startswith(".")
    assert [path.name for path in (tmp_path / "serving" / "demo").iterdir()] == ["1"]


@pytest.mark.slow
@pytest.mark.parametrize("place", ["report.json", "serving/README.md"])
def test_where_one_file_cannot_be_written_none_is(generator_path, tmp_path, place, capsys):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "in the way").touch()
    before = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    assert _export(generator_path, tmp_path, "--formats=fp32,saved_model") == 1
    assert Path(place).name in capsys.readouterr().err
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == before


@pytest.mark.slow
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


@pytest.mark.parametrize("name", ["a/b", "", "..", "größe", "a b"])
def test_names_that_are_no_file_names_are_refused(generator_path, tmp_path, name, capsys):
    assert _export(generator_path, tmp_path, name=name) == 2
    assert "--name" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag, complaint",
    [
        ("--formats=fp8", "--formats=fp8: there is saved_model, fp32"),
        ("--formats=,", "--formats"),
        ("--fixed_size=512", "--fixed_size"),
        ("--fixed_size=510x512", "multiples of 4"),
        ("--fixed_size=4x512", "from 8 to"),
        ("--fixed_size=20000x20000", "to 4096"),
        ("--max_pixels=82943", "must be from 82944"),
        ("--max_pixels=99999999999999999999999", "--max_pixels"),
        ("--model_version=-1", "--model_version"),
        ("--model_version=9999999999999999999", "--model_version"),
        ("--formats=fp32 --model_version=3", "is for saved_model"),
        ("--calibration_dir=photos", "is for int8_full"),
        ("--formats=int8_full", "--calibration_dir is missing"),
    ],
)
def test_flags_that_cannot_be_used(generator_path, tmp_path, flag, complaint, capsys):
    assert _export(generator_path, tmp_path / "out", *flag.split()) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_model_that_cannot_be_read_is_named(tmp_path, capsys):
    (tmp_path / "a.keras").write_text("hello")
    assert _export(tmp_path / "a.keras", tmp_path / "out") == 1
    assert "a.keras" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("flag", ["photos_dir", "calibration_dir"])
def test_a_folder_of_photos_that_is_not_there_is_named(generator_path, tmp_path, flag, capsys):
    assert (
        _export(generator_path, tmp_path / "out", "--formats=int8_full", "--calibration_dir=x", f"--{flag}=none") == 1
    )
    assert "none: no such folder" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(generator_path, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert _export(generator_path, tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


@pytest.mark.slow
def test_all_other_formats_and_photos_of_ones_own(generator_path, picture_folders, tmp_path, capsys):
    photos, _ = picture_folders
    flags = ["--formats=dynamic,int8_full", f"--calibration_dir={photos}", f"--photos_dir={photos}", "--fixed_size="]
    assert _export(generator_path, tmp_path, *flags) == 0
    assert {path.name for path in (tmp_path / "tflite").iterdir()} == {"demo-dynamic.tflite", "demo-int8_full.tflite"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["photos"] == f"7 photos of {photos}"
    assert [entry["budget_db"] for entry in report["files"]] == [None, None]
    assert Cartoonizer.load(tmp_path / "tflite" / "demo-int8_full.tflite")(draw(0)).shape == draw(0).shape


@pytest.mark.slow
def test_the_full_generator_exports(assets, tmp_path):
    """The authors' Hayao generator in every form, at its full size, within the budgets."""
    model = tmp_path / "hayao.keras"
    assert import_weights.main(["x", f"--weights={assets}/authors/hayao.npz", f"--output={model}"]) == 0
    flags = ["--formats=saved_model,fp32,fp16,int8,int8_full", f"--calibration_dir={assets}/photos"]
    flags += [f"--model={model}", "--name=hayao", f"--output_dir={tmp_path}", "--fixed_size=64x32"]
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
    expected = Cartoonizer.load(model)(draw(0)).astype(int)
    for form, tolerance in (("serving/hayao", 1), ("tflite/hayao-fp32.tflite", 1), ("tflite/hayao-fp16.tflite", 3)):
        assert np.abs(Cartoonizer.load(tmp_path / form)(draw(0)) - expected).max() <= tolerance


@pytest.mark.parametrize("flag, value", [("max_pixels", 10**9), ("fixed_size", "4096x4096")])
def test_sizes_that_tensorflow_does_not_compute_in_one_piece_are_refused(
    generator_path, tmp_path, monkeypatch, capsys, flag, value
):
    """The network has 4 values a pixel; the processor is one of 16 threads without AVX-512."""
    monkeypatch.setattr(machine, "has_avx512", lambda: False)
    monkeypatch.setattr(machine, "num_threads", lambda: 16)
    assert _export(generator_path, tmp_path / "exported", f"--{flag}={value}") == 1
    error = capsys.readouterr().err
    assert f"--{flag}={value}" in error
    most = int(re.search(r"at most (\d+)", error)[1])
    values = {"max_pixels": 2**30, "fixed_size": 2**23}[flag]
    assert 0.9 * values / 4 <= most <= values / 4
    assert not (tmp_path / "exported").exists()
