"""Pages tell the truth: links, flags, programs, and the commands of docs/. Those of the README: test_package."""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cartoongan_tf.base.options import options_of
from cartoongan_tf.training import distribution
from cartoongan_tf.training.config import TrainConfig
from export.config import FORMATS, ExportConfig
from tests.helpers import REPOSITORY
from tests.readme_commands import TEXT, blocks_in, commands_in, fill, smaller

COMMANDS = commands_in(TEXT)
ANCHORS = {
    "#" + re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
    for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
}


def test_the_readme_has_commands_of_every_program():
    for program in (
        "extract_frames",
        "build_tfrecords",
        "inspect_records",
        "train",
        "cartoonize",
        "evaluate",
        "export_model",
        "client",
        "benchmark_tflite",
        "import_weights",
    ):
        assert any(program in command for command in COMMANDS)


def test_make_targets_and_extras_exist():
    makefile, setup = (REPOSITORY / "Makefile").read_text(), (REPOSITORY / "setup.cfg").read_text()
    for command in COMMANDS:
        words = command.split()
        assert words[0] in ("make", "python", ".", "pip", "cartoonize", "tensorboard")
        assert words[0] != "make" or f"\n{words[1]}: " in makefile
    for extra in re.findall(r"'\.\[(\w+)\]'", TEXT):
        assert f"\n{extra} =" in setup
    for script in re.findall(r"`(cartoongan-[a-z-]+|cartoonize)`", TEXT):
        assert f"    {script} = " in setup


def test_links_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert link in ANCHORS if link.startswith("#") else (REPOSITORY / link).exists(), link


@pytest.fixture
def folder(picture_folders, tmp_path, monkeypatch):
    fill(tmp_path, picture_folders)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(command):
    module, arguments = _parts(command)
    return importlib.import_module(module).main([module, *arguments])


def _run_apart(command):
    """In a process of its own, whose memory is that of nobody else."""
    module, arguments = _parts(command)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run([sys.executable, "-m", module, *arguments], env=environment, timeout=300).returncode


def _parts(command):
    command = re.sub("^cartoonize ", "python -m cartoongan_tf.cartoonize ", command)
    python, dash_m, module, *arguments = smaller(command)
    assert (python, dash_m) == ("python", "-m")
    return module, arguments


@pytest.mark.slow
def test_every_command_about_data_runs(folder):
    commands = commands_in((REPOSITORY / "docs" / "data.md").read_text())
    assert len(commands) == 5
    for command in commands:
        if "DirectRunner" in command and not importlib.util.find_spec("apache_beam"):
            continue
        assert _run(command) == 0, command
    assert len(list((folder / "frames").glob("film-*.png"))) == 4
    assert (folder / "data" / "shinkai" / "contact-sheet.jpg").exists() and (folder / "runs" / "shinkai").exists()


@pytest.mark.slow
def test_every_command_about_training_runs(folder):
    """But for the one of several machines, whose parts are read instead."""
    text = (REPOSITORY / "docs" / "training.md").read_text()
    assert (
        _run(
            "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames "
            "--output_dir=data/shinkai"
        )
        == 0
    )
    commands = [command for command in commands_in(text) if command.startswith("python")]
    assert len(commands) == 5
    for command in commands:
        run = _run_apart if "--dry_run" in command else _run  # a rehearsal judges by the memory of its process
        assert run(command) == 0, command
    (tf_config,) = re.findall(r"^TF_CONFIG='(.*)' \\$", text, re.MULTILINE)
    assert distribution.read_tf_config(tf_config).num_workers == 2
    (sketch,) = blocks_in("yaml", text)
    flags = {option.name for option in options_of(TrainConfig)}
    assert (
        set(re.findall(r"--(\w+)=", sketch + text))
        - {"flagfile", "logdir", "validation_fraction", "canny_low", "canny_high", "crops_per_image"}
        <= flags
    )


@pytest.mark.slow
def test_every_command_from_a_film_to_a_style_runs(folder):
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    for source, held in (("photos", "photos"), ("frames", "panels")):
        shutil.copytree(folder / source, folder / "held" / held)
    commands = commands_in((REPOSITORY / "docs" / "train_your_style.md").read_text())
    assert len(commands) == 10
    for command in commands:
        small = " --crop_size=0 --discriminator_warmup_steps=2" if "cartoongan_tf.train" in command else ""
        run = _run_apart if "--dry_run" in command else _run  # a rehearsal judges by the memory of its process
        assert run(command + small) == 0, command
    assert (folder / "evaluation" / "steps" / "curve.png").exists()
    assert (folder / "exported" / "tflite" / "pepper-fp16.tflite").exists()


def test_every_flag_of_training_is_explained():
    text = (REPOSITORY / "docs" / "training.md").read_text()
    unexplained = {option.name for option in options_of(TrainConfig) if f"--{option.name}" not in text}
    assert unexplained <= {"data_dir", "run_dir", "vgg19_weights", "generator"}


@pytest.mark.parametrize("page", ["docs/on_device.md", "examples/android/README.md", "examples/ios/README.md"])
def test_pages_about_exports_name_flags_and_files_that_exist(page):
    text = (REPOSITORY / page).read_text()
    commands = re.findall(r"python -m export\.export_model ([^`\n]*)", text)
    flags = {flag for command in commands for flag in re.findall(r"--(\w+)=", command)}
    assert flags <= {option.name for option in options_of(ExportConfig)}
    kinds = set(re.findall(r"\b(?:NAME|hayao|pepper)-(\w+)(?:-512x512)?\.tflite", text))
    assert kinds and kinds <= set(FORMATS)
    for folder, name in re.findall(r"`((?:examples|docs|export)/)?(\w+\.(?:md|kt|swift))`", text):
        assert (REPOSITORY / (folder or Path(page).parent) / name).exists(), name


def test_pages_about_experiments_name_programs_and_flags_that_exist():
    text = (REPOSITORY / "docs" / "reproduction.md").read_text()
    commands = re.findall(r"python -m (experiments\.\w+) ([^`\n]*)", text)
    programs = {path.stem for path in (REPOSITORY / "experiments").glob("*.py")}
    assert commands and set(re.findall(r"experiments\.(\w+)", text)) <= programs
    for module, arguments in commands:
        help_text = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout
        for flag in re.findall(r"--(\w+)", arguments):
            assert f"--{flag}" in help_text or f"--[no]{flag}" in help_text, f"{module}: {flag}"
