import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import Cartoonizer, train
from cartoongan_tf.base.options import read_flagfile_values
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.media import pictures
from cartoongan_tf.training.config import TrainConfig
from tests.helpers import draw, scalars
from tests.small_runs import PHOTO, checkpoint_steps, draw_with, newest_step, run_train, train_flags, train_small


def test_a_run_leaves_generator_samples_checkpoints_and_flags(finished, data_dir):
    assert checkpoint_steps(finished) == [10, 15, 20]
    assert draw_with(finished).shape == PHOTO.shape
    samples = sorted(path.name for path in (finished / "samples").iterdir())
    assert samples == [f"step_{step:07}.jpg" for step in (5, 8, 10, 15, 20)]
    assert pictures.read_picture(finished / "samples" / samples[0]).shape == (64, 128, 3)  # 3 photos, 2 columns
    values = read_flagfile_values(finished / "run.flags")
    assert values["data_dir"] == str(data_dir) and values["adversarial_epochs"] == "3"


def test_tensorboard_has_curves_and_samples(finished):
    found = scalars(finished)
    assert list(found["initialization/content_loss"]) == [4, 8]
    assert list(found["adversarial/discriminator_loss"]) == [12, 16, 20]
    curves = [value for tag, steps in found.items() if "/" in tag for value in steps.values()]
    assert np.isfinite(curves).all()
    assert list(found["samples"]) == [5, 8, 10, 15, 20]
    assert found["samples"][20][2].startswith(b"\x89PNG")


def test_the_same_command_when_all_is_done_changes_nothing(finished, data_dir, capsys):
    before = (finished / "generator.keras").stat().st_mtime_ns
    assert train_small(data_dir, finished) == 0
    assert "done already" in capsys.readouterr().out
    assert (finished / "generator.keras").stat().st_mtime_ns == before


def test_run_flags_repeat_the_run(data_dir, finished, tmp_path):
    assert run_train(f"--flagfile={finished}/run.flags", f"--run_dir={tmp_path}/again") == 0
    np.testing.assert_allclose(draw_with(tmp_path / "again"), draw_with(finished), atol=2e-3)


@pytest.mark.slow
def test_another_seed_is_another_run(data_dir, finished, tmp_path):
    assert train_small(data_dir, tmp_path / "run", "--seed=7") == 0
    assert np.abs(draw_with(tmp_path / "run") - draw_with(finished)).max() > 0.01


@pytest.mark.slow
def test_two_devices_train(small_networks, data_dir, tmp_path, two_replicas):
    flags = [flag.lstrip("-").split("=") for flag in train_flags(data_dir, tmp_path / "run")]
    types = {"batch_size": int, "generator_learning_rate": float}
    values = {name: types.get(name, int if text.isdecimal() else str)(text) for name, text in flags}
    train.train(TrainConfig(**values), two_replicas)
    assert checkpoint_steps(tmp_path / "run")[-1] == 20


def test_a_batch_that_does_not_divide_is_refused(data_dir, tmp_path, two_replicas):
    config = TrainConfig(str(data_dir), str(tmp_path / "run"), batch_size=3)
    with pytest.raises(ValueError, match="--batch_size=3: must be a multiple of the 2"):
        train.train(config, two_replicas)


def test_resuming_with_other_networks_or_phases_is_refused(data_dir, finished, capsys):
    flags_before = (finished / "run.flags").read_text()
    changes = [("generator_width", 8, 4), ("batch_size", 4, 2), ("initialization_epochs", 3, 2)]
    for flag, value, before in [*changes, ("discriminator", "features", "patch")]:
        assert train_small(data_dir, finished, f"--{flag}={value}") == 1
        error = capsys.readouterr().err
        assert f"--{flag}={value}" in error and f"--{flag}={before}" in error
    assert (finished / "run.flags").read_text() == flags_before


def test_a_run_that_has_no_checkpoint_may_be_begun_otherwise(data_dir, tmp_path):
    assert train_small(data_dir, tmp_path / "run", "--vgg19_weights=none.h5") == 1
    flags = ("--generator_width=8", "--initialization_epochs=1", "--adversarial_epochs=0")
    assert train_small(data_dir, tmp_path / "run", *flags) == 0


def test_fewer_steps_than_are_done_are_done(data_dir, finished, tmp_path, capsys):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    assert train_small(data_dir, run_dir, "--adversarial_epochs=2") == 0
    assert "done already" in capsys.readouterr().out


def test_a_longer_run_resumes_with_other_rates(data_dir, finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    assert train_small(data_dir, run_dir, "--adversarial_epochs=4", "--generator_learning_rate=1e-4") == 0
    assert checkpoint_steps(run_dir)[-1] == 24


def test_a_deleted_generator_is_written_again(data_dir, finished, tmp_path):
    run_dir = shutil.copytree(finished, tmp_path / "run")
    (run_dir / "generator.keras").unlink()
    assert train_small(data_dir, run_dir) == 0
    np.testing.assert_allclose(draw_with(run_dir), draw_with(finished), atol=1e-6)


def test_missing_data_is_answered_with_the_command(tmp_path, capsys):
    assert train_small(tmp_path / "none", tmp_path / "run") == 1
    assert "python -m data_pipeline.build_tfrecords" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_empty_split_is_refused(data_dir, tmp_path, capsys):
    for kind in ("photos", "cartoons"):
        folder = shutil.copytree(data_dir, tmp_path / kind)
        content = json.loads((folder / "dataset.json").read_text())
        content[kind]["train"]["shards"] = []
        (folder / "dataset.json").write_text(json.dumps(content))
        assert train_small(folder, tmp_path / "run") == 1
        error = capsys.readouterr().err
        assert f"--data_dir={folder}" in error and kind in error and "--validation_fraction" in error
    assert not (tmp_path / "run").exists()


def test_a_crop_larger_than_the_pictures_is_refused(data_dir, tmp_path, capsys):
    assert train_small(data_dir, tmp_path / "run", "--crop_size=64") == 1
    assert "--crop_size=64" in capsys.readouterr().err


@pytest.mark.parametrize("phase", ["initialization", "adversarial"])
def test_a_phase_can_be_left_out(data_dir, tmp_path, phase):
    assert train_small(data_dir, tmp_path / "run", f"--{phase}_epochs=0") == 0
    assert checkpoint_steps(tmp_path / "run")[-1] == {"initialization": 12, "adversarial": 8}[phase]


def test_training_without_a_gpu_says_so_once(data_dir, finished, capsys):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    assert train_small(data_dir, finished) == 0
    assert capsys.readouterr().out.count("No GPU found") == 1


def test_fine_tuning_starts_from_the_given_generator(finished, data_dir, tmp_path):
    """Without initialization, and only the first time: resuming does not need the file."""
    initial = shutil.copy(finished / "generator.keras", tmp_path / "initial.keras")
    run_dir, flags = tmp_path / "run", [f"--initial_generator={initial}", "--generator_learning_rate=1e-7"]
    assert train_small(data_dir, run_dir, *flags, "--adversarial_epochs=1") == 0
    assert newest_step(run_dir) == 4
    np.testing.assert_allclose(draw_with(run_dir), draw_with(finished), atol=1e-3)
    os.remove(initial)
    assert train_small(data_dir, run_dir, *flags, "--adversarial_epochs=2") == 0
    assert newest_step(run_dir) == 8


def test_an_initial_generator_that_does_not_fit_is_refused(generator_path, data_dir, tmp_path, capsys):
    flags = [f"--initial_generator={generator_path}", "--generator_width=8"]
    assert train_small(data_dir, tmp_path / "run", *flags) == 1
    assert "--initial_generator: has" in (error := capsys.readouterr().err) and "_width" in error
    assert train_small(data_dir, tmp_path / "run", "--initial_generator=none.keras", "--vgg19_weights=none.h5") == 1
    assert "--initial_generator: none.keras: no such file" in capsys.readouterr().err
    assert train_small(data_dir, tmp_path / "run", "--initial_generator=hayao.pth") == 1
    assert "--initial_generator=hayao.pth: give a .keras file; import_weights" in capsys.readouterr().err


@pytest.mark.slow
def test_the_light_generator_and_vgg19_train(data_dir, tmp_path):
    """The real networks train; the light one begins as the photo."""
    run_dir = tmp_path / "run"
    flags = ["--generator=light", "--initialization_epochs=0", "--adversarial_epochs=2", "--content_weight=1e-3"]
    assert train.main(["train", *train_flags(data_dir, run_dir, *flags, "--checkpoint_every_steps=20")]) == 0
    assert "\n--generator=light\n" in (run_dir / "run.flags").read_text()
    photo = draw(0)
    assert find_beside(run_dir / "generator.keras")
    cartoon = Cartoonizer.load(run_dir / "generator.keras")(photo)
    assert cartoon.shape == photo.shape and np.abs(cartoon.astype(int) - photo).mean() < 60
    begun_with = np.tanh(photo / 127.5 - 1) * 127.5 + 127.5
    assert np.abs(cartoon - begun_with).mean() > 1


def test_a_run_folder_that_cannot_be_written_is_named(data_dir, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    for flags in ((), ("--dry_run",)):
        assert train_small(data_dir, tmp_path / "file" / "run", *flags) == 1
        error = capsys.readouterr().err
        assert f"--run_dir={tmp_path}/file/run" in error
