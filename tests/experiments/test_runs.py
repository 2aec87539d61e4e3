"""Training processes: side by side, stopped, failing. A quick script stands for training, which is tested elsewhere
(test_programs, tests/cartoongan_tf)."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training.config import TrainConfig
from experiments import runs
from tests.conftest import THREADS
from tests.helpers import REPOSITORY

# The name of its run's folder tells it what to do.
_SCRIPT = """
import os, pathlib, signal, sys, time
flags = dict(line.strip().removeprefix("--").split("=") for line in open(sys.argv[1].split("=")[1]) if "=" in line)
folder = pathlib.Path(flags["run_dir"])
folder.mkdir(parents=True, exist_ok=True)
(folder / "threads").write_text(os.environ.get("TF_NUM_INTRAOP_THREADS", ""))
(folder / "begun").write_text("x")
task = folder.name.split("-")[0]
if task == "fails":
    sys.exit(3)
if task == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if task == "endless":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit((folder / "saved").write_text("x") and 143))
    (folder / "ready").write_text("x")
    time.sleep(60)
if task == "pair":  # ends once the other one has begun
    deadline = time.monotonic() + 30
    while len(list(folder.parent.glob("pair-*/begun"))) < 2:
        if time.monotonic() > deadline:
            sys.exit(4)
        time.sleep(0.05)
if task == "patient":  # outlasts a run that fails
    time.sleep(1)
(folder / "generator.keras").write_text("a generator")
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    (tmp_path / "script.py").write_text(_SCRIPT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def build(name, **flags):
        recipe = TrainConfig(data_dir="data", run_dir=str(tmp_path / "runs" / name), **flags)
        return runs.Run("script", recipe, tmp_path / f"{name}.flags")

    return build


def test_side_by_side_each_has_its_share_of_the_cores(run, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    several = [run("pair-a"), run("pair-b"), run("c")]
    runs.train(several, 2)
    for one in several:
        assert one.is_done and one.num_threads == 2 and (one.folder / "threads").read_text() == "2"
    alone = run("d")
    runs.train([*several, alone], 2)  # the others are complete
    assert alone.num_threads == 4 and (alone.folder / "threads").read_text() == ""


def test_a_failure_lets_those_beside_it_end_and_begins_no_other(run):
    patient = run("patient")
    waiting = run("waiting")
    with pytest.raises(InputError, match="fails ended with status 3"):
        runs.train([run("fails"), patient, waiting], 2)
    assert patient.is_done and not waiting.folder.exists()
    with pytest.raises(InputError, match=r"killed was killed, .* \(--num_processes=1"):
        runs.train([run("killed")], 1)


@pytest.mark.slow
def test_after_a_request_to_stop_all_save_and_no_other_begins(run, tmp_path):
    several = [run("endless-1"), run("endless-2"), run("waiting")]
    code = (
        "import sys; from pathlib import Path\n"
        "from cartoongan_tf.training.config import TrainConfig; from experiments import runs\n"
        "recipes = [TrainConfig(data_dir='data', run_dir=folder) for folder in sys.argv[1:]]\n"
        "runs.train([runs.Run('script', recipe, Path(recipe.run_dir + '.flags')) for recipe in recipes], 2)"
    )
    path = os.pathsep.join((str(REPOSITORY), str(tmp_path)))
    command = [sys.executable, "-c", code, *(str(one.folder) for one in several)]
    (tmp_path / "runs").mkdir()
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not all((one.folder / "ready").exists() for one in several[:2]):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    for one in several[:2]:
        assert (one.folder / "saved").exists() and not one.is_done
    assert not several[2].folder.exists()


def test_another_recipe_is_refused_and_folders_may_move(run):
    trained = run("a", vgg19_weights="random")
    runs.train([trained], 1)
    moved = dataclasses.replace(trained.recipe, data_dir="elsewhere")
    trained._replace(recipe=moved).check_recipe()
    with pytest.raises(InputError, match=r"\(--seed=0\).* --output_dir"):
        run("a", vgg19_weights="random", seed=1).check_recipe()
    with pytest.raises(InputError, match=r"\(--vgg19_weights=random\)"):
        run("a", vgg19_weights="imagenet").check_recipe()
    trained.flagfile.unlink()
    with pytest.raises(InputError, match=r"a\.flags: no such file.* --output_dir"):
        trained.check_recipe()


def test_a_generator_that_was_removed_is_written_again(run):
    trained = run("a")
    runs.train([trained], 1)
    assert json.loads(trained.done_file.read_text()) == {"num_threads": os.cpu_count()}
    trained.generator.unlink()
    runs.train([trained], 1)
    assert trained.is_done
