"""The experiments from end to end, at their smallest scale."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cartoongan_tf.styles import all_styles
from cartoongan_tf.training import checkpoints
from experiments import (
    ablation,
    compare_methods,
    compare_single_image,
    content_weight,
    initialization,
    styles,
)
from experiments.baselines.cnnmrf import CNNMRF
from experiments.baselines.deep_analogy import DeepAnalogy
from tests.helpers import REPOSITORY


def _run(program, folders, output, *more):
    name = program.__name__.rpartition(".")[2]
    return program.main([name, *_flags(folders, output), *more]), output / name


def _flags(folders, output):
    places = [f"--photos_dir={folders / 'photos'}", f"--cartoons_dir={folders / 'frames'}", f"--output_dir={output}"]
    return [*places, "--scale=tiny", "--vgg19_weights=random"]


def _rows(folder):
    return [row["name"] for row in json.loads((folder / "evaluation.json").read_text())["rows"]][2:]


def _num_claims(folder):
    lines = (folder / "report.md").read_text().splitlines()
    return len([line for line in lines if line.startswith(("| 3", "| 4", "| (not in"))])


def test_initialization(folders, tmp_path, quick_training, light_path, monkeypatch):
    steps_per_epoch = 3  # of 6 photos that are not held out
    generators = {epoch * steps_per_epoch: light_path for epoch in (1, 2)}
    monkeypatch.setattr(checkpoints, "write_generators", lambda run_dir, folder: generators)
    status, folder = _run(initialization, folders, tmp_path)
    assert status == 0
    assert [run.recipe.keep_every_steps for run, _ in quick_training] == [steps_per_epoch] * 2
    starts = ("the paper's start", "pixel start")
    assert _rows(folder) == [f"{start}, epoch {epoch}" for start in starts for epoch in (1, 2)]
    assert _num_claims(folder) == 3 and (folder / "figure.jpg").exists() and (folder / "curve.png").exists()
    flags = (folder.parent / "recipes" / "initialization-content.flags").read_text()
    assert "--initialization_loss=content\n" in flags and "--adversarial_epochs=0\n" in flags
    assert "--generator=paper\n" in flags


@pytest.mark.slow
def test_ablation(folders, tmp_path, small_training):
    status, folder = _run(ablation, folders, tmp_path)
    assert status == 0
    assert _rows(folder) == ["without initialization", "l2 content", "without edge loss", "CartoonGAN"]
    assert _num_claims(folder) == 3  # none about the light generator's initialization
    logits = (folder / "report.md").read_text().partition("The discriminators' logits")[2]
    assert re.search(r"\| CartoonGAN \| -?\d\.\d{3} \| -?\d\.\d{3} \| -?\d\.\d{3} \|\n", logits)
    for name, flag in {
        "without-initialization": "initialization_epochs=0",
        "l2-content": "content_loss=l2",
        "without-edge-loss": "edge_loss_weight=0.0",
    }.items():
        assert f"--{flag}\n" in (tmp_path / "recipes" / f"{name}.flags").read_text()


@pytest.mark.slow
def test_content_weight(folders, tmp_path, capfd, small_training):
    status, folder = _run(content_weight, folders, tmp_path, "--content_weights=10,6.2e-4", "--num_processes=2")
    assert status == 0
    started = re.findall(r"Training (\S+), with the flags in .*, in process \d+", capfd.readouterr().err)
    assert sorted(started) == ["cartoongan", "content-weight-10"]
    num_threads = json.loads((tmp_path / "runs" / "cartoongan" / "done").read_text())["num_threads"]
    assert num_threads == max(os.cpu_count() // 2, 1), "they are trained side by side"
    _check_content_weight(folder)


def _check_content_weight(folder):
    assert _rows(folder) == ["omega 0.00062, the authors' code's", "omega 10, the paper's"]
    assert _num_claims(folder) == 1 and (folder / "curve.png").exists()


@pytest.mark.slow
def test_an_experiment_uses_the_runs_of_another_one(folders, tmp_path, quick_training, monkeypatch, capfd):
    status, folder = _run(content_weight, folders, tmp_path, "--content_weights=10,6.2e-4", "--num_processes=2")
    assert status == 0
    _check_content_weight(folder)
    assert [(run.folder.name, at_once) for run, at_once in quick_training] == [
        ("cartoongan", 2),
        ("content-weight-10", 2),
    ]
    assert [run.module for run, _ in quick_training] == ["cartoongan_tf.train"] * 2
    assert "--content_weight=10.0\n" in (tmp_path / "recipes" / "content-weight-10.flags").read_text()
    quick_training.clear()
    drawn = []
    for method in (CNNMRF, DeepAnalogy):
        monkeypatch.setattr(method, "load", lambda weights, seed: _QuickMethod(drawn))
    status, folder = _run(compare_single_image, folders, tmp_path, "--num_photos=2", "--long_side=48")
    assert status == 0 and not quick_training
    _check_compare_single_image(folder)
    assert len(drawn) == 2 * 2 * 2, "two methods, choices of style pictures, and photos"
    assert all(style.shape != photo.shape and num_steps == 3 for photo, style, num_steps in drawn)
    status, _ = _run(content_weight, folders, tmp_path, "--content_weights=10,6.2e-4", "--seed=1")
    assert status == 1 and "(--seed=0)" in capfd.readouterr().err


class _QuickMethod:
    """A stand-in for a method that optimises each picture; it records its arguments."""

    def __init__(self, drawn):
        self._drawn = drawn

    def draw(self, photo, style, num_steps):
        self._drawn.append((photo, style, num_steps))
        return 255 - photo


@pytest.mark.slow
def test_compare_single_image(folders, tmp_path, quick_training):
    status, folder = _run(compare_single_image, folders, tmp_path, "--num_photos=2", "--long_side=48")
    assert status == 0 and [run.folder.name for run, _ in quick_training] == ["cartoongan"]
    _check_compare_single_image(folder)


def _check_compare_single_image(folder):
    methods = [f"{method} (image {choice})" for method in ("CNNMRF", "Deep Analogy") for choice in (1, 2)]
    assert _rows(folder) == [*methods, "CartoonGAN"]
    report = (folder / "report.md").read_text()
    assert " s a picture." in report and "With 2 photos, intervals" in report
    assert (folder / "figure.jpg").exists()


@pytest.mark.slow
def test_training_saves_if_it_is_asked_to_stop(folders, tmp_path, capfd):
    code = (
        "import sys; from cartoongan_tf.base import program; program.start_tensorflow()\n"
        "from experiments.lab import Lab; from experiments.config import ExperimentConfig\n"
        "flags = dict(flag.removeprefix('--').split('=') for flag in sys.argv[1:])\n"
        "lab = Lab.open(ExperimentConfig(**flags))\n"
        "lab.train([lab.cartoongan('long', adversarial_epochs=400, checkpoint_every_steps=2)])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, *_flags(folders, tmp_path)], cwd=REPOSITORY)
    run_dir = tmp_path / "runs" / "long"
    deadline = time.monotonic() + 120
    while not list((run_dir / "checkpoints").glob("*.index")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
    assert str(run_dir / "checkpoints") in capfd.readouterr().out
    assert not (run_dir / "done").exists()


@pytest.mark.slow
def test_compare_methods(folders, tmp_path, small_training):
    status, folder = _run(compare_methods, folders, tmp_path, "--mixed_precision=bfloat16")
    assert status == 0
    methods = ["Gatys (image 1)", "Gatys (collection)", "CycleGAN", "CycleGAN + identity", "CartoonGAN"]
    assert _rows(folder) == methods
    report = (folder / "report.md").read_text()
    assert re.search(r"\| CycleGAN \+ identity \| \d+ \| [\d.]+ \| 0\.50 \| 1 \| 2 \| \d+ \|", report)
    assert re.search(r"Gatys \(collection\): \d+ s a picture", report)
    assert "--identity_weight=0.0\n" in (tmp_path / "recipes" / "cyclegan.flags").read_text()
    assert "--identity_weight=0.5\n" in (tmp_path / "recipes" / "cyclegan-identity.flags").read_text()


def test_styles(folders, tmp_path, light_path, capfd):
    trained = tmp_path / "runs" / "cartoongan"
    trained.mkdir(parents=True)
    shutil.copy(light_path, trained / "generator.keras")
    (trained / "done").write_text("{}")
    assert _run(styles, folders, tmp_path)[0] == 1
    assert "cartoongan.flags: no such file" in capfd.readouterr().err
    flagfile = tmp_path / "recipes" / "cartoongan.flags"
    flagfile.parent.mkdir()
    flagfile.write_text("--generator=light\n")
    status, folder = _run(styles, folders, tmp_path, f"--model=mine={light_path}")
    assert status == 0
    assert _rows(folder) == [*all_styles(), "trained here", "mine"]
    assert _num_claims(folder) == len(all_styles()) + 1


@pytest.mark.slow
def test_a_run_that_fails_is_reported(folders, tmp_path, capfd):
    assert _run(ablation, folders, tmp_path, "--vgg19_weights=nowhere.h5")[0] == 1
    errors = capfd.readouterr().err
    assert "--vgg19_weights=nowhere.h5: no such file" in errors and "ended with status 1" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "runs" / "without-initialization" / "done").exists()


def test_flags_that_cannot_be_used(folders, tmp_path, capfd):
    inside = folders / "photos" / "results"
    for program, output, flag, status in (
        (styles, inside, f"--output_dir={inside}", 1),
        (styles, tmp_path, "--model=pepper", 1),
        (compare_single_image, tmp_path, "--long_side=16", 2),
        (content_weight, tmp_path, "--content_weights=1,x", 2),
        (content_weight, tmp_path, "--content_weights=1,1.0", 2),
        (content_weight, tmp_path, "--content_weights=1,-1", 2),
    ):
        assert _run(program, folders, output, flag)[0] == status, flag
        assert f"{flag}: " in capfd.readouterr().err
    assert not inside.exists()
