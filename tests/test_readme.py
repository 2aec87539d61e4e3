"""The pages: links, names of files, flags and programs, and the commands of docs/. test_package runs the README's."""

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
from cartoongan_tf.evaluate import EvaluateConfig
from cartoongan_tf.training import distribution
from cartoongan_tf.training.config import TrainConfig
from data_pipeline.build_tfrecords import BuildConfig
from export.config import FORMATS, ExportConfig
from tests.helpers import REPOSITORY
from tests.readme_commands import README, blocks_in, commands_in, commands_of_users, fill, smaller
from tests.test_layering import MAY_IMPORT

DOCS = REPOSITORY / "docs"
PAGES = [
    README,
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "findings" / "README.md",
    *sorted(DOCS.rglob("*.md")),
    *sorted((REPOSITORY / "examples").rglob("*.md")),
]
MAX_README_WORDS = 1200


def test_the_readme_is_short():
    assert len(README.read_text().split()) <= MAX_README_WORDS


def test_the_user_s_pages_have_commands_of_every_program():
    for program in (
        "extract_frames",
        "build_tfrecords",
        "inspect_records",
        "train",
        "tensorboard",
        "cartoonize",
        "evaluate",
        "export_model",
        "client",
        "benchmark_tflite",
        "import_weights",
    ):
        assert any(program in command for command in commands_of_users()), program


def test_make_targets_and_extras_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    setup = (REPOSITORY / "setup.cfg").read_text()
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text()
    for command in commands_of_users():
        assert command.split()[0] in ("make", "python", "pip", "cartoonize", "tensorboard")
    for command in commands_of_users() + commands_in(contributing):
        program, *words = command.split()
        assert program != "make" or f"\n{words[0]}: " in makefile, command
    for page in PAGES:
        for extras in re.findall(r"'\.\[([\w,]+)\]'", page.read_text()):
            for extra in extras.split(","):
                assert f"\n{extra} =" in setup, f"{page}: {extra}"
    for script in re.findall(r"`(cartoongan-[a-z-]+|cartoonize)`", README.read_text()):
        assert f"    {script} = " in setup, script


def test_links_lead_somewhere():
    broken = []
    for page in PAGES:
        for link in re.findall(r"\]\((?!http)([^)\s]+)\)", page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if not target.exists() or (anchor and anchor not in _anchors(target)):
                broken.append(f"{page.relative_to(REPOSITORY)}: {link}")
    assert not broken


def _anchors(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_files_and_programs_that_pages_name_exist():
    """Paths in backquotes that begin with a folder of the repository, and the modules of `python -m`."""
    folders = "cartoongan_tf|data_pipeline|export|experiments|benchmarks|demo|tests|docs|configs|findings|examples"
    missing = []
    for page in PAGES:
        text = page.read_text()
        for path in re.findall(rf"`((?:{folders})/[\w/.]*)`", text):
            if not (REPOSITORY / path).exists() and not (page.parent / path).exists():
                missing.append(f"{page.relative_to(REPOSITORY)}: {path}")
        for module in re.findall(rf"python -m ((?:{folders})\.\w+)", text):
            if not (REPOSITORY / (module.replace(".", "/") + ".py")).exists():
                missing.append(f"{page.relative_to(REPOSITORY)}: {module}")
    assert not missing


def test_the_design_shows_modules_that_exist_and_the_rules_of_imports():
    rows = re.findall(r"^\| `([\w/]+)/` \|[^|]*\|([^|]*)\|([^|]*)\|$", (DOCS / "design.md").read_text(), re.MULTILINE)
    missing = []
    rules = {}
    for folder, modules, may_import in rows:
        for name in re.findall(r"`(\w+)`", modules):
            module = REPOSITORY / folder / name
            if not module.with_suffix(".py").exists() and not module.is_dir():
                missing.append(f"{folder}/{name}")
        if may_import.strip():
            rules[folder.replace("/", ".")] = set(may_import.strip().split(", "))
    assert not missing
    expected = {}
    for room, others in MAY_IMPORT.items():
        expected[room] = {other.removeprefix("cartoongan_tf.") for other in others}
    assert rules == expected


@pytest.fixture
def folder(picture_folders, tmp_path, monkeypatch):
    fill(tmp_path, picture_folders)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(command):
    module, arguments = _parts(command)
    return importlib.import_module(module).main([module, *arguments])


def _run_apart(command):
    """Run a command in a new process: a dry run judges by the memory of its process."""
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
    for command in commands_in((DOCS / "data.md").read_text()):
        if "DirectRunner" in command and not importlib.util.find_spec("apache_beam"):
            continue
        assert _run(command) == 0, command
    assert len(list((folder / "frames").glob("film-*.png"))) == 4
    assert (folder / "data" / "shinkai" / "contact-sheet.jpg").exists()
    assert (folder / "runs" / "shinkai").exists()


@pytest.mark.slow
def test_every_command_about_training_runs(folder, small_networks):
    """All but the one for several machines, whose parts are checked instead."""
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    text = (DOCS / "training.md").read_text()
    build = (
        "python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir=data/shinkai"
    )
    assert _run(build) == 0
    commands = [command for command in commands_in(text) if command.startswith("python")]
    assert commands
    for command in commands:
        run = _run_apart if "--dry_run" in command else _run
        assert run(command) == 0, command
    (tf_config,) = re.findall(r"^TF_CONFIG='(.*)' \\$", text, re.MULTILINE)
    assert distribution.read_tf_config(tf_config).num_workers == 2
    (sketch,) = blocks_in("yaml", text)
    configs = (TrainConfig, BuildConfig, EvaluateConfig)
    flags = {option.name for config in configs for option in options_of(config)}
    flags |= {"flagfile", "logdir", "minutes", "parts"}  # of absl, TensorBoard and benchmarks
    assert set(re.findall(r"--(\w+)=", sketch + text)) <= flags


@pytest.mark.slow
def test_every_command_from_a_film_to_a_style_runs(folder, small_networks):
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    for source, held in (("photos", "photos"), ("frames", "panels")):
        shutil.copytree(folder / source, folder / "held" / held)
    commands = commands_in((DOCS / "train_your_style.md").read_text())
    assert commands
    for command in commands:
        small = " --discriminator_warmup_steps=2" if "cartoongan_tf.train" in command else ""
        run = _run_apart if "--dry_run" in command else _run
        assert run(command + small) == 0, command
    assert (folder / "evaluation" / "steps" / "curve.png").exists()
    assert (folder / "exported" / "tflite" / "comic-fp16.tflite").exists()


def test_every_flag_of_training_is_explained():
    text = (DOCS / "training.md").read_text()
    unexplained = {option.name for option in options_of(TrainConfig) if f"--{option.name}" not in text}
    assert unexplained <= {"data_dir", "run_dir", "vgg19_weights", "generator"}


@pytest.mark.parametrize(
    "page", ["docs/on_device.md", "docs/export.md", "examples/android/README.md", "examples/ios/README.md"]
)
def test_pages_about_exports_name_flags_and_files_that_exist(page):
    text = (REPOSITORY / page).read_text()
    commands = re.findall(r"python -m export\.export_model ([^`\n]*)", text)
    flags = {flag for command in commands for flag in re.findall(r"--(\w+)=", command)}
    assert flags <= {option.name for option in options_of(ExportConfig)}
    kinds = set(re.findall(r"\b(?:NAME|hayao|pepper|shinkai)-(\w+)(?:-512x512)?\.tflite", text))
    assert kinds and kinds <= set(FORMATS)
    for folder, name in re.findall(r"`((?:examples|docs|export)/)?(\w+\.(?:md|kt|swift))`", text):
        assert (REPOSITORY / (folder or Path(page).parent) / name).exists(), name


def test_pages_about_experiments_name_programs_and_flags_that_exist():
    text = (DOCS / "reproduction.md").read_text()
    commands = re.findall(r"python -m (experiments\.\w+) ([^`\n]*)", text)
    programs = {path.stem for path in (REPOSITORY / "experiments").glob("*.py")}
    assert commands and set(re.findall(r"experiments\.(\w+)", text)) <= programs
    for module, arguments in commands:
        help_text = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout
        for flag in re.findall(r"--(\w+)", arguments):
            assert f"--{flag}" in help_text or f"--[no]{flag}" in help_text, f"{module}: {flag}"
