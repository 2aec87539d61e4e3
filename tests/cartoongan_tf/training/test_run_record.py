import datetime
import hashlib
import json
import os
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import __version__
from cartoongan_tf.training import run_record
from cartoongan_tf.training.config import TrainConfig
from tests.helpers import contents


@pytest.fixture
def records(tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "dataset.json").write_text('{"photos": 1}')
    return folder


def _start(path, records, first_step=0, **flags):
    """Record a start; return all starts of the record."""
    run_record.record_start(path, TrainConfig(str(records), "run", **flags), first_step, records, ["CPU:0"])
    return json.loads(path.read_text())["starts"]


def test_a_start_tells_all_that_made_it(tmp_path, records):
    (start,) = _start(tmp_path / "run" / "run.json", records, crop_size=96)
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(start["time"])
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)
    assert start["versions"]["cartoongan-tf"] == __version__
    assert start["versions"]["tensorflow"] == tf.__version__
    assert start["versions"]["keras"] == keras.__version__ and start["versions"]["numpy"] == np.__version__
    assert start["data_sha256"] == hashlib.sha256(b'{"photos": 1}').hexdigest()
    assert start["flags"]["crop_size"] == 96 and start["flags"]["adversarial_loss"] == "least_squares"
    assert start["devices"] == ["CPU:0"] and start["first_step"] == 0
    assert start["machine"]["cores"] == os.cpu_count() and start["machine"]["cpu"]
    assert len(start["machine"]["gpus"]) == len(tf.config.list_physical_devices("GPU"))


def test_starts_are_added_in_their_order(tmp_path, records):
    path = tmp_path / "run.json"
    first = _start(path, records)
    both = _start(path, records, first_step=700)
    assert both[:1] == first and [start["first_step"] for start in both] == [0, 700]


def test_other_data_is_noticed(tmp_path, records):
    path = tmp_path / "run.json"
    assert not run_record.data_changed(path, records)  # never begun
    _start(path, records)
    assert not run_record.data_changed(path, records)
    (records / "dataset.json").write_text('{"photos": 2}')
    assert run_record.data_changed(path, records)
    _start(path, records, first_step=700)
    assert not run_record.data_changed(path, records)  # it was the last start's
    (records / "dataset.json").unlink()
    assert not run_record.data_changed(path, records)


def test_a_damaged_record_is_kept_aside_and_does_not_hold_the_run_up(tmp_path, records, capsys):
    for number, damage in enumerate(["", '{"starts": [{"ti', "[]", '{"starts": 3}', '{"starts": [1]}', "\x00\xff"]):
        path = tmp_path / f"run{number}" / "run.json"
        path.parent.mkdir()
        path.write_bytes(damage.encode("latin-1"))
        assert not run_record.data_changed(path, records), damage
        (start,) = _start(path, records, first_step=700)
        assert start["first_step"] == 700, damage
        others = {name: data for name, data in contents(path.parent).items() if name != "run.json"}
        assert list(others.values()) == [damage.encode("latin-1")], damage
        assert next(iter(others)) in capsys.readouterr().err, damage


def _git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    process = subprocess.run(("git", *identity, *arguments), cwd=folder, capture_output=True, text=True, check=True)
    return process.stdout.strip()


def test_the_commit_of_a_checkout_and_of_nothing_else(tmp_path, records, monkeypatch):
    package = tmp_path / "checkout" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setattr(run_record, "_SOURCE", package)
    unknown = {"commit": None, "has_uncommitted_changes": None}
    assert _start(tmp_path / "run.json", records)[-1]["source"] == unknown
    _git(package.parent, "init", "-q")  # as a virtual environment in a repository: not its files
    assert _start(tmp_path / "run.json", records)[-1]["source"] == unknown
    _git(package.parent, "add", "package")
    _git(package.parent, "commit", "-qm", "first")
    commit = _git(package.parent, "rev-parse", "HEAD")
    clean = {"commit": commit, "has_uncommitted_changes": False}
    assert _start(tmp_path / "run.json", records)[-1]["source"] == clean
    (package / "__init__.py").write_text("changed = True")
    assert _start(tmp_path / "run.json", records)[-1]["source"] == clean | {"has_uncommitted_changes": True}
    monkeypatch.setenv("PATH", str(tmp_path))  # no git there
    assert _start(tmp_path / "run.json", records)[-1]["source"] == unknown
