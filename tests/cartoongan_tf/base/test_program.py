import subprocess
import sys
from pathlib import Path

import pytest

from cartoongan_tf import __version__, cartoonize, evaluate, import_weights, train
from cartoongan_tf.base.options import flagfile_text, options_of, read_flagfile_values
from cartoongan_tf.training.config import TrainConfig
from data_pipeline import build_tfrecords
from export import export_model
from tests.helpers import REPOSITORY

PROGRAMS = {
    "cartoongan-build-tfrecords": (build_tfrecords, build_tfrecords.BuildConfig),
    "cartoongan-train": (train, TrainConfig),
    "cartoongan-evaluate": (evaluate, evaluate.EvaluateConfig),
    "cartoonize": (cartoonize, cartoonize.CartoonizeConfig),
    "cartoongan-export": (export_model, export_model.ExportConfig),
    "cartoongan-import-weights": (import_weights, import_weights.ImportConfig),
}


@pytest.mark.parametrize("script", PROGRAMS)
def test_help_shows_the_command_and_every_flag(script, capsys):
    module, config_class = PROGRAMS[script]
    assert module.main([script, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"python -m {module.__name__}" in text
    for option in options_of(config_class):
        assert option.name in text
        assert option.help in " ".join(text.split())


def test_a_console_script_is_its_module():
    commands = ([sys.executable, "-m", "cartoongan_tf.cartoonize"], [str(Path(sys.executable).with_name("cartoonize"))])
    texts = [
        subprocess.run([*command, "--help"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True)
        for command in commands
    ]
    assert texts[0].stdout == texts[1].stdout != ""


@pytest.mark.parametrize("script", PROGRAMS)
def test_version_and_bad_flags(script, capsys):
    module, config_class = PROGRAMS[script]
    assert module.main([script, "--version"]) == 0
    assert __version__ in capsys.readouterr().out
    assert module.main([script, "--no_such_flag=1"]) == 2
    assert "no_such_flag" in capsys.readouterr().err
    assert module.main([script]) == 2
    first = next((option.name for option in options_of(config_class) if option.required), "model")
    expected = "name the picture" if script == "cartoonize" else f"--{first} is missing"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--flagfile=none.flags"], "none.flags"),
        (["--data_dir=a", "--run_dir=b", "--batch_size=many"], "batch_size"),
        (["--data_dir=a", "--run_dir=b", "--batch_size=0"], "--batch_size=0"),
        (["--data_dir=a", "--run_dir=b", "--adversarial_loss=wasserstein"], "log|least_squares|hinge"),
        (["--data_dir=a", "--run_dir=b", "stray"], "stray"),
        (["--data_dir=a", "--run_dir="], "--run_dir is missing"),
        (["--data_dir=a", "--run_dir=b", "--seed=8589934592"], "--seed=8589934592"),
        (["--data_dir=a", "--run_dir=b", "--initialization_epochs=0", "--adversarial_epochs=0"], "nothing to train"),
        (["--flagfile=tests/fixtures/tfa_instance_norm.npz"], "decode"),
    ],
)
def test_command_lines_that_cannot_be_used(arguments, message, capsys):
    assert train.main(["train", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_written_flagfile_gives_the_config_back(tmp_path, monkeypatch):
    config = TrainConfig("data", "runs/a b", content_weight=1e-5, batch_size=3, content_loss="l2")
    path = tmp_path / "run.flags"
    path.write_text(flagfile_text(config, "one\ntwo"))
    seen = []
    monkeypatch.setattr(train, "train", seen.append)
    assert train.main(["train", f"--flagfile={path}"]) == 0
    assert seen == [config]
    assert read_flagfile_values(path)["run_dir"] == "runs/a b"


@pytest.mark.parametrize("path", [REPOSITORY / "shinkai.flags", *sorted((REPOSITORY / "configs").glob("*.flags"))])
def test_every_flagfile_is_a_complete_recipe(path, monkeypatch):
    """It opens with purpose, command, hardware and time, and names every flag of the recipe itself."""
    seen = []
    monkeypatch.setattr(train, "train", seen.append)
    assert train.main(["train", f"--flagfile={path}"]) == 0
    assert isinstance(seen[0], TrainConfig)
    text = path.read_text()
    assert text.startswith("# Purpose:")
    for heading in ("# Purpose:", "# Command:", "# Hardware:", "# Time:", "# Result:"):
        assert heading in text
    assert f"--flagfile={path.relative_to(REPOSITORY)}" in text
    named = set(read_flagfile_values(path))
    named |= {line.removeprefix("--").removeprefix("no") for line in text.splitlines() if line.startswith("--")}
    left_out = {option.name for option in options_of(TrainConfig)} - named
    assert left_out <= {
        "deterministic",
        "dry_run",
        "feature_mixing",
        "initial_generator",
        "keep_checkpoints",
        "keep_every_steps",
        "num_samples",
        "summary_every_steps",
        "teacher_content_weight",
        "teacher_gradient_weight",
        "validation_batches",
    }


def test_the_styles_share_one_recipe():
    paths = [REPOSITORY / "shinkai.flags"]
    paths += [REPOSITORY / "configs" / f"{style}.flags" for style in ("hayao", "hosoda", "paprika")]
    recipes = [read_flagfile_values(path) for path in paths]
    for recipe, path in zip(recipes, paths, strict=True):
        assert (recipe.pop("data_dir"), recipe.pop("run_dir")) == (f"data/{path.stem}", f"runs/{path.stem}")
        assert recipe == recipes[0]


def test_the_papers_flags_are_the_papers():
    values = read_flagfile_values(REPOSITORY / "configs" / "paper.flags")
    assert values["adversarial_loss"] == "log"
    assert (float(values["content_weight"]), values["content_loss"]) == (10, "l1")
    assert values["initialization_epochs"] == "10" and values["adversarial_epochs"] == "200"
    assert values["edge_loss_weight"] == "1" and values["initialization_loss"] == "content"


def test_a_process_with_tensorflow_ends_with_its_work():
    script = """
import atexit, sys
from cartoongan_tf import cartoonize
from cartoongan_tf.base import program

sys.modules["tensorflow"] = sys  # importing the real one takes seconds
atexit.register(print, "at exit")
print("work")
program.run(cartoonize.CartoonizeConfig, lambda *_: 3, "")
print("freeing graphs")
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout.split("\n")) == (3, ["work", "at exit", ""]), result.stderr


def test_without_tensorflow_the_message_says_what_to_install(tmp_path):
    """An installation for drawing alone has none."""
    (tmp_path / "a.keras").touch()
    script = "import sys; from importlib import util; util.find_spec = lambda name: None; "
    script += f"from cartoongan_tf import Cartoonizer; Cartoonizer.load('{tmp_path}/a.keras')"
    run = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert "InputError: TensorFlow is not installed." in run.stderr and "pip install ." in run.stderr
