"""Every `python` command in the README is run here, in its order, on small pictures; CI runs the `make` ones itself."""

import importlib
import re
import shlex
import shutil

import numpy as np
import pytest

from cartoongan_tf import pictures
from tests.films import make_film
from tests.helpers import REPOSITORY, TINY_NETWORKS, draw

TEXT = (REPOSITORY / "README.md").read_text()
SMALLER = {  # flags that keep the commands short; later flags win
    "data_pipeline.build_tfrecords": ["--image_size=32"],
    "cartoongan_tf.train": [
        *TINY_NETWORKS,
        "--vgg19_weights=random",
        "--batch_size=4",
        "--initialization_epochs=1",
        "--adversarial_epochs=1",
    ],
}


def _blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in _blocks("sh") for line in block.splitlines()]


def test_the_readme_has_commands_of_every_program():
    for program in (
        "extract_frames",
        "build_tfrecords",
        "inspect_records",
        "train",
        "cartoonize",
        "export_model",
        "import_weights",
    ):
        assert any(program in command for command in COMMANDS)


def test_make_targets_and_extras_exist():
    makefile, setup = (REPOSITORY / "Makefile").read_text(), (REPOSITORY / "setup.cfg").read_text()
    for command in COMMANDS:
        words = command.split()
        assert words[0] in ("make", "python", ".")
        assert words[0] != "make" or f"\n{words[1]}: " in makefile
    for extra in re.findall(r"'\.\[(\w+)\]'", TEXT):
        assert f"\n{extra} =" in setup
    for script in re.findall(r"`(cartoongan-[a-z-]+)`", TEXT):
        assert f"    {script} = " in setup


def test_links_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert (REPOSITORY / link).exists(), link


@pytest.fixture
def folder(picture_folders, tmp_path, monkeypatch):
    """What a reader of the README has: photos, frames, a photo and, if the assets are here, the authors' weights."""
    for source in picture_folders:
        shutil.copytree(source, tmp_path / source.name)
    shutil.copy(REPOSITORY / "shinkai.flags", tmp_path)
    pictures.write_picture(tmp_path / "photo.jpg", draw(0))
    make_film(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(command):
    python, dash_m, module, *arguments = shlex.split(command)
    assert (python, dash_m) == ("python", "-m")
    return importlib.import_module(module).main([module, *arguments, *SMALLER.get(module, [])])


def test_every_command_runs(folder):
    for command in COMMANDS:
        if command.startswith("python") and "hayao" not in command:
            assert _run(command) == 0, command
    drawn = ("photo-cartoon.jpg", "drawn/photo0.jpg", "drawn/contact-sheet.jpg", "clip-cartoon.mp4", "mild.png")
    for result in (*drawn, "runs/next/generator.keras", "exported/serving/shinkai/1", "exported/tflite"):
        assert (folder / result).exists()
    names = {"photo": draw(0)}
    exec(_blocks("python")[0], names)
    assert names["cartoon"].shape == names["photo"].shape and names["cartoon"].dtype == np.uint8


def test_every_command_with_the_authors_weights_runs(folder, assets):
    shutil.copy(assets / "authors" / "hayao.npz", folder)
    for command in COMMANDS:
        if "hayao" in command:
            assert _run(command) == 0, command
    assert (folder / "photo-hayao.jpg").exists()
