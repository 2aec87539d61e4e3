"""Each experiment from end to end, at its smallest scale: real training, real drawing, real measuring."""

import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest

from cartoongan_tf.media import pictures
from cartoongan_tf.training.config import TrainConfig
from experiments import ablation, compare_methods, compare_single_image, config, content_weight, initialization, styles
from experiments.baselines.cyclegan_config import CycleGANConfig
from tests.helpers import REPOSITORY, draw


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    for number in range(9):
        pictures.write_picture(root / "photos" / f"photo{number}.png", draw(number, 60, 80) // 2 + 60)
        pictures.write_picture(root / "frames" / f"frame{number}.png", draw(50 + number, 70, 64))
    return root


def _run(program, folders, output, *more):
    name = program.__name__.rpartition(".")[2]
    return program.main([name, *_command(folders, output), *more]), output / name


def _command(folders, output):
    where = [f"--photos_dir={folders / 'photos'}", f"--cartoons_dir={folders / 'frames'}", f"--output_dir={output}"]
    return [*where, "--scale=tiny", "--vgg19_weights=random"]


def _rows(folder):
    return [row["name"] for row in json.loads((folder / "evaluation.json").read_text())["rows"]][2:]


def _claims(folder):
    lines = (folder / "report.md").read_text().splitlines()
    return [line.split("|")[3].strip() for line in lines if line.startswith(("| 3", "| 4", "| (not in"))]


def test_initialization(folders, tmp_path):
    status, folder = _run(initialization, folders, tmp_path)
    assert status == 0
    assert _rows(folder) == [f"{start}, epoch {n}" for start in ("the paper's start", "pixel start") for n in (1, 2)]
    assert len(_claims(folder)) == 3 and (folder / "figure.jpg").exists() and (folder / "curve.png").exists()
    flags = (tmp_path / "recipes" / "initialization-content.flags").read_text()
    assert "--initialization_loss=content\n" in flags and "--adversarial_epochs=0\n" in flags


@pytest.mark.slow
def test_ablation(folders, tmp_path):
    status, folder = _run(ablation, folders, tmp_path)
    assert status == 0
    assert _rows(folder) == ["without initialization", "l2 content", "without edge loss", "CartoonGAN"]
    assert len(_claims(folder)) == 3  # the light generator is not asked about its initialization
    answers = (folder / "report.md").read_text().partition("What the discriminators answered")[2]
    assert re.search(r"\| CartoonGAN \| -?\d\.\d{3} \| -?\d\.\d{3} \| -?\d\.\d{3} \|\n", answers)
    differing = {"without-initialization": "initialization_epochs=0", "l2-content": "content_loss=l2"}
    for name, flag in (differing | {"without-edge-loss": "edge_loss_weight=0.0"}).items():
        assert f"--{flag}\n" in (tmp_path / "recipes" / f"{name}.flags").read_text()


def test_what_one_experiment_trained_another_one_takes(folders, tmp_path, capfd):
    status, folder = _run(content_weight, folders, tmp_path, "--content_weights=10,6.2e-4", "--num_processes=2")
    assert status == 0 and "Training cartoongan" in capfd.readouterr().err
    begun = json.loads((tmp_path / "runs" / "content-weight-10" / "run.json").read_text())["starts"][0]["time"]
    first_done = (tmp_path / "runs" / "cartoongan" / "done").stat().st_mtime
    assert datetime.fromisoformat(begun).timestamp() < first_done, "they are trained side by side"
    assert _rows(folder) == ["omega 0.00062, the authors' code's", "omega 10, the paper's"]
    assert len(_claims(folder)) == 1 and (folder / "curve.png").exists()
    generator = tmp_path / "runs" / "cartoongan" / "generator.keras"
    before = generator.stat().st_mtime_ns
    status, folder = _run(compare_single_image, folders, tmp_path, "--num_photos=2", "--long_side=48")
    assert status == 0 and "Training" not in capfd.readouterr().err
    assert generator.stat().st_mtime_ns == before
    ways = [f"{method} (image {which})" for method in ("CNNMRF", "Deep Analogy") for which in (1, 2)]
    assert _rows(folder) == [*ways, "CartoonGAN"]
    assert " s a picture." in (folder / "report.md").read_text()
    assert "Of 2 photos, intervals are too narrow" in (folder / "report.md").read_text()
    status, _ = _run(content_weight, folders, tmp_path, "--content_weights=10,6.2e-4", "--seed=1")
    assert status == 1 and "was trained with another recipe (--seed=0); give the flags" in capfd.readouterr().err


def test_training_that_is_asked_to_stop_saves_and_goes_on(folders, tmp_path, capfd):
    code = (
        "import sys; from cartoongan_tf import program; program.start_tensorflow()\n"
        "from experiments.lab import Lab; from experiments.config import ExperimentConfig\n"
        "flags = dict(flag.removeprefix('--').split('=') for flag in sys.argv[1:])\n"
        "lab = Lab(ExperimentConfig(**flags))\n"
        "lab.train([lab.cartoongan('long', adversarial_epochs=400, checkpoint_every_steps=2)])"
    )
    process = subprocess.Popen([sys.executable, "-c", code, *_command(folders, tmp_path)], cwd=REPOSITORY)
    checkpoints = tmp_path / "runs" / "long" / "checkpoints"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("*.index")) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
    assert "Stopped with a checkpoint in" in capfd.readouterr().out
    assert not (tmp_path / "runs" / "long" / "done").exists()


@pytest.mark.slow
def test_compare_methods(folders, tmp_path):
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
    assert "cartoongan.flags: no such file, and it says how" in capfd.readouterr().err
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "cartoongan.flags").write_text("--generator=light\n")
    status, folder = _run(styles, folders, tmp_path, f"--model=mine={light_path}")
    assert status == 0
    assert _rows(folder) == ["pepper", "trained here", "mine"] and len(_claims(folder)) == 2


def test_what_cannot_be_used_is_said(folders, tmp_path, capfd):
    assert _run(ablation, folders, tmp_path, "--vgg19_weights=nowhere.h5")[0] == 1
    said = capfd.readouterr().err
    assert "--vgg19_weights=nowhere.h5: no such file" in said and "with that mended, the same command goes on" in said
    assert "Traceback" not in said
    assert not (tmp_path / "runs" / "without-initialization" / "done").exists()
    inside = folders / "photos" / "results"
    assert _run(styles, folders, inside)[0] == 1 and "lies in --photos_dir=" in capfd.readouterr().err
    assert not inside.exists()
    assert _run(styles, folders, tmp_path, "--model=pepper")[0] == 1
    assert "pepper is a bundled style" in capfd.readouterr().err
    assert _run(compare_single_image, folders, tmp_path, "--long_side=16")[0] == 2
    assert "--long_side=16: must be at least 32" in capfd.readouterr().err
    assert _run(content_weight, folders, tmp_path, "--content_weights=1,x")[0] == 2
    assert "--content_weights=1,x: give two or more" in capfd.readouterr().err


def test_the_papers_scale_is_the_authors_recipe_and_cyclegans_paper():
    scale = config.SCALES["paper"]
    assert not scale.recipe and not scale.own_recipes and not scale.cyclegan
    assert scale.generator == TrainConfig(data_dir="data", run_dir="run").generator == "paper"
    assert CycleGANConfig().epochs == TrainConfig(data_dir="data", run_dir="run").adversarial_epochs == 200


@pytest.mark.parametrize("scale", config.SCALES.values(), ids=config.SCALES)
def test_recipes_are_flags_of_training(scale):
    names = {field.name for field in dataclasses.fields(TrainConfig)}
    for generator in ("light", "paper"):
        recipe = {"generator": generator, **scale.recipe, **scale.own_recipes.get(generator, {})}
        assert set(recipe) <= names
        TrainConfig(data_dir="data", run_dir="run", **recipe)
