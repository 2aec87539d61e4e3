"""Files written before the modules moved into rooms (commit 73aaf2b): they load, and their run resumes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf import train
from cartoongan_tf.models.generator_file import load_generator
from tests.helpers import REPOSITORY

FIXTURE = REPOSITORY / "tests" / "fixtures" / "before_rooms"


def test_a_generator_written_before_loads():
    generator = load_generator(FIXTURE / "run" / "generator.keras")
    modules = {type(layer).__module__ for layer in generator.layers}
    assert "cartoongan_tf.models.layers" in modules and "cartoongan_tf.layers" not in modules
    photo = np.linspace(-1, 1, 32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
    assert np.isfinite(np.asarray(generator(photo))).all()


@pytest.mark.slow
def test_a_run_written_before_resumes(tmp_path, monkeypatch, capsys):
    shutil.copytree(FIXTURE, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    first = load_generator("run/generator.keras").get_weights()
    assert train.main(["train", "--flagfile=run/run.flags", "--adversarial_epochs=3"]) == 0
    assert "--generator=narrow\n" in Path("run/run.flags").read_text(), "the light generator of then is this one now"
    assert [start["first_step"] for start in json.loads(Path("run/run.json").read_text())["starts"]] == [0, 6]
    last = load_generator("run/generator.keras").get_weights()
    assert any((before != after).any() for before, after in zip(first, last, strict=True))
    assert "error" not in capsys.readouterr().err
