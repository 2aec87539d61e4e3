"""Runs that are resumed with other data, or with more epochs: only the steps that are left change."""

import contextlib
import itertools
import json
import shutil
import signal

import pytest
from PIL import Image

from cartoongan_tf.base.options import options_of
from cartoongan_tf.training import checkpoints, dry_run
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.resumption import find_resumption
from cartoongan_tf.training.run_folder import RunFolder
from tests.helpers import build_records, contents, draw, scalars
from tests.small_runs import newest_step, train_flags, train_small

pytestmark = pytest.mark.slow

GROWN = 12  # batches an epoch in `grown_dir`; `data_dir` has 4


class _Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def _dry_runs_are_short(monkeypatch):
    monkeypatch.setattr(dry_run, "TIMED_SECS", 0)


@pytest.fixture(scope="module")
def grown_dir(picture_folders, tmp_path_factory):
    """The records of `data_dir` with 16 photos more: 23 in all."""
    root = tmp_path_factory.mktemp("grown")
    photos = shutil.copytree(picture_folders[0], root / "photos")
    for seed in range(16):
        Image.fromarray(draw(500 + seed, 60, 70)).save(photos / f"more{seed}.png")
    return build_records((photos, picture_folders[1]), root / "records")


@pytest.fixture
def run_dir(finished, tmp_path):
    """A copy of a finished run: 8 steps of initialization, 12 of adversarial training."""
    return shutil.copytree(finished, tmp_path / "run")


def _steps(run_dir):
    """Return the steps of initialization and adversarial training, as the newest checkpoint's optimizers count them."""
    _, path = checkpoints.find_newest_complete(run_dir / "checkpoints")
    taken = checkpoints.read_optimizer_steps(path)
    assert taken["discriminator_optimizer"] == taken["generator_optimizer"]
    return taken["initialization_optimizer"], taken["generator_optimizer"]


def _curve_steps(run_dir, phase):
    """Return the steps at which a phase's curves have points."""
    return sorted({step for tag, points in scalars(run_dir).items() if tag.startswith(f"{phase}/") for step in points})


@contextlib.contextmanager
def _stopping_after(num_steps, monkeypatch):
    """Ask a run to stop after so many steps."""

    @contextlib.contextmanager
    def stop_requests():
        steps = itertools.count(1)
        yield lambda: signal.SIGTERM if next(steps) >= num_steps else 0

    with monkeypatch.context() as patched:
        patched.setattr("cartoongan_tf.base.signals.stop_requests", stop_requests)
        yield


def test_a_finished_run_stays_finished_when_its_data_grow(run_dir, grown_dir, capsys):
    assert train_small(grown_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert f"{grown_dir}: not the data" in captured.err and str(run_dir) in captured.err
    assert captured.err.count("not the data") == 1 and "12 batches an epoch where there were 4" in captured.err
    assert f"All 20 steps of {run_dir}" in captured.out and "--adversarial_epochs" in captured.out
    assert _steps(run_dir) == (8, 12)
    assert train_small(grown_dir, run_dir, "--adversarial_epochs=4") == 0  # an epoch of the new data, nothing else
    captured = capsys.readouterr()
    assert "step 20 of 32" in captured.out and "not the data" not in captured.err
    assert _steps(run_dir) == (8, 12 + GROWN) and newest_step(run_dir) == 20 + GROWN
    assert max(_curve_steps(run_dir, "initialization")) == 8 and max(_curve_steps(run_dir, "adversarial")) == 32


def test_a_run_in_adversarial_training_stays_there_when_its_data_grow(
    data_dir, grown_dir, tmp_path, monkeypatch, capsys
):
    run_dir = tmp_path / "run"
    with _stopping_after(10, monkeypatch):
        assert train_small(data_dir, run_dir) == 128 + signal.SIGTERM
    assert _steps(run_dir) == (8, 2)
    before = contents(run_dir)
    assert train_small(grown_dir, run_dir, "--dry_run") == 0
    assert contents(run_dir) == before
    dry = capsys.readouterr()
    length = "adversarial training, of which 2 are done, now has 32 steps, not 12"  # 2.5 epochs are left
    assert length in dry.err and "10 of 40 steps are done." in dry.out and "initialization  " not in dry.out
    assert train_small(grown_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert length in captured.err and "learning rates" not in captured.err
    assert _steps(run_dir) == (8, 2 + 30)
    assert max(_curve_steps(run_dir, "initialization")) == 8
    rates = scalars(run_dir)["adversarial/generator_learning_rate"]
    assert rates[12] == pytest.approx(1e-3 * 28 / 36) and rates[28] == pytest.approx(1e-3 / 3) and rates[40] == 0


def test_adversarial_training_is_not_skipped_when_the_data_shrink(data_dir, grown_dir, tmp_path, capsys):
    run_dir = tmp_path / "run"
    short = ("--initialization_epochs=1", "--initialization_loss=pixels")
    assert train_small(grown_dir, run_dir, *short, "--adversarial_epochs=0") == 0
    assert _steps(run_dir) == (GROWN, 0)
    capsys.readouterr()
    assert train_small(data_dir, run_dir, *short, "--adversarial_epochs=3") == 0
    captured = capsys.readouterr()
    assert "4 batches an epoch where there were 12" in captured.err and "done already" not in captured.out
    assert _steps(run_dir) == (GROWN, 12)
    assert _curve_steps(run_dir, "adversarial")[-1] == GROWN + 12


def test_rates_that_start_again_are_reported(data_dir, run_dir, capsys):
    assert scalars(run_dir)["adversarial/generator_learning_rate"][20] == 0
    longer = ("--adversarial_epochs=5", "--adversarial_decay_epochs=1")
    assert train_small(data_dir, run_dir, *longer) == 0
    error = capsys.readouterr().err
    assert "fallen to 0; they start again at 0.001 (generator) and 1e-05 (discriminator)" in error
    rates = scalars(run_dir)["adversarial/generator_learning_rate"]
    assert rates[24] == pytest.approx(1e-3) and rates[28] == 0 and _steps(run_dir) == (8, 20)
    assert train_small(data_dir, run_dir, *longer) == 0
    assert "learning rates" not in capsys.readouterr().err  # nothing starts


def _config(data_dir, run_dir, *flags):
    """Return the recipe of `train_flags`."""
    types = {option.name: option.type for option in options_of(TrainConfig)}
    values = {}
    for flag in train_flags(data_dir, run_dir, *flags):
        name, _, text = flag.removeprefix("--").partition("=")
        values[name] = types[name](text)
    return TrainConfig(**values)


def _resumption(data_dir, run_dir, steps_per_epoch, *flags):
    """Return (steps done, of initialization in all, of adversarial training in all), and the changes as text."""
    config = _config(data_dir, run_dir, *flags)
    resumption = find_resumption(RunFolder(run_dir), config, steps_per_epoch)
    initialization, _, adversarial = resumption.schedule.phases
    changes = resumption.list_changes(str(run_dir), str(data_dir))
    return (resumption.step, initialization.num_steps, adversarial.num_steps), " ".join(changes)


def test_the_lengths_are_kept_in_the_runs_folder(run_dir):
    content = json.loads((run_dir / "schedule.json").read_text())
    assert content["steps_per_epoch"] == 4
    phases = [(phase["name"], phase["epochs"], phase["steps"], phase["decay_steps"]) for phase in content["phases"]]
    assert phases == [("initialization", 2, 8, 8), ("warmup", 0, 0, 0), ("adversarial", 3, 12, 12)]


def test_a_run_of_an_earlier_version_is_read_from_its_checkpoint(data_dir, grown_dir, run_dir):
    (run_dir / "schedule.json").unlink()
    assert _resumption(data_dir, run_dir, 4) == ((20, 8, 12), "")
    lengths, changes = _resumption(data_dir, run_dir, 4, "--adversarial_epochs=4", "--adversarial_decay_epochs=2")
    assert lengths == (20, 8, 16) and "fallen to 0; they start again at 0.0005" in changes
    lengths, changes = _resumption(grown_dir, run_dir, GROWN)
    assert lengths == (20, 8, 12) and "12 batches an epoch where there were 4" in changes
    assert _resumption(grown_dir, run_dir, GROWN, "--adversarial_epochs=4")[0] == (20, 8, 12 + GROWN)
    (run_dir / "run.json").unlink()  # whether the data are the same is not known
    assert _resumption(data_dir, run_dir, 4) == ((20, 8, 12), "")
    assert _resumption(grown_dir, run_dir, GROWN)[0] == (20, 8, 12)


def test_a_run_in_initialization_stays_there(data_dir, grown_dir, tmp_path, monkeypatch):
    run_dir = tmp_path / "run"
    with _stopping_after(3, monkeypatch):
        assert train_small(data_dir, run_dir, "--initialization_loss=pixels") == 128 + signal.SIGTERM
    lengths, changes = _resumption(grown_dir, run_dir, GROWN)
    assert lengths == (3, 3 + 15, 36)  # 1.25 epochs of it are left
    assert "initialization, of which 3 are done, now has 18 steps, not 8" in changes
    (run_dir / "schedule.json").unlink()  # then it is not known how many batches there were
    assert _resumption(data_dir, run_dir, 4) == ((3, 8, 12), "")
    assert _resumption(grown_dir, run_dir, GROWN)[0] == (3, 24, 36)


def _damage(run_dir, step):
    (path,) = (run_dir / "checkpoints").glob(f"step-{step}.data-*")
    path.write_bytes(path.read_bytes()[:-50])


def test_a_damaged_checkpoint_is_skipped_here_too(grown_dir, run_dir, capsys):
    _damage(run_dir, 20)
    assert _resumption(grown_dir, run_dir, GROWN)[0] == (15, 8, 7 + 15)  # 1.25 epochs are left
    assert train_small(grown_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert captured.err.count("step-20: damaged") == 1 and "checkpoint of step 15 of 30" in captured.out
    assert _steps(run_dir) == (8, 22)


def test_a_damaged_schedule_is_computed_again(data_dir, grown_dir, run_dir, capsys):
    (run_dir / "schedule.json").write_text('{"steps_per_')
    assert train_small(data_dir, run_dir) == 0
    captured = capsys.readouterr()
    assert "schedule.json: damaged" in captured.err and "All 20 steps" in captured.out
    assert len(list(run_dir.glob("schedule.damaged_*.json"))) == 1
    assert _resumption(grown_dir, run_dir, GROWN)[0] == (20, 8, 12)


def test_a_run_that_is_killed_before_its_first_step_loses_no_epoch(data_dir, grown_dir, run_dir, monkeypatch):
    """The data grow twice; then the old data return."""

    def killed(*_):
        raise _Killed

    longer = "--adversarial_epochs=4"
    monkeypatch.setattr("cartoongan_tf.training.run.TrainingRun._write_results", killed)
    for _ in range(2):
        with pytest.raises(_Killed):
            train_small(grown_dir, run_dir, longer)
        assert json.loads((run_dir / "schedule.json").read_text())["steps_per_epoch"] == GROWN
        assert newest_step(run_dir) == 20
    assert _resumption(grown_dir, run_dir, GROWN, longer)[0] == (20, 8, 12 + GROWN)
    assert _resumption(data_dir, run_dir, 4, longer)[0] == (20, 8, 16)


def test_a_run_that_another_one_has_continued_meanwhile_is_refused(data_dir, run_dir, monkeypatch, capsys):
    """Between the search for its resumption and the lock on its folder."""

    def find_and_change(*arguments):
        resumption = find_resumption(*arguments)
        for file in (run_dir / "checkpoints").glob("step-20.*"):
            file.unlink()
        return resumption

    monkeypatch.setattr("cartoongan_tf.training.run.find_resumption", find_and_change)
    assert train_small(data_dir, run_dir) == 1
    assert f"{run_dir}: another run" in capsys.readouterr().err
