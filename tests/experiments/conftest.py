import shutil

import pytest

from cartoongan_tf.media import pictures
from experiments import lab
from experiments.baselines import cyclegan_networks
from experiments.runs import Run
from tests import small_runs
from tests.helpers import draw


@pytest.fixture(scope="module")
def folders(tmp_path_factory, small_measures):
    root = tmp_path_factory.mktemp("pictures")
    for number in range(9):
        pictures.write_picture(root / "photos" / f"photo{number}.png", draw(number, 60, 80) // 2 + 60)
        pictures.write_picture(root / "frames" / f"frame{number}.png", draw(50 + number, 70, 64))
    return root


@pytest.fixture(scope="module")
def small_cyclegan():
    """Let CycleGAN build networks of a layer or two."""
    with small_runs.small_networks_of(cyclegan_networks):
        yield


@pytest.fixture
def quick_training(light_path, monkeypatch):
    """Train by copying a generator; return the runs that were begun, each with the number of processes."""
    begun = []

    def train(runs, at_once):
        for run in runs:
            run.keep_flags()
            if not run.is_done:
                begun.append((run, at_once))
                run.folder.mkdir(parents=True)
                shutil.copy(light_path, run.generator)
                run.done_file.write_text('{"num_threads": 1}')

    monkeypatch.setattr(lab, "train", train)
    return begun


@pytest.fixture
def small_training(monkeypatch):
    """Train CartoonGAN's small networks, in processes of their own as ever."""

    def small_run(module, *rest):
        return Run("tests.small_runs" if module == "cartoongan_tf.train" else module, *rest)

    monkeypatch.setattr(lab, "Run", small_run)
