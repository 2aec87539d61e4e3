"""The effects of flags of training, beside the plain run of test_train.py."""

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf import train
from cartoongan_tf.base import machine
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import kernel_limits
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.training import dry_run
from cartoongan_tf.training.checkpoints import recent_checkpoints
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.networks import computing_in
from cartoongan_tf.training.precision import precision_to_use, slowness
from tests.helpers import REPOSITORY, build_records, scalars
from tests.small_runs import train_small


@pytest.fixture(scope="module")
def split_data_dir(picture_folders, tmp_path_factory) -> Path:
    """Records of which 3 photos of 7 and 4 cartoons of 5 are held out: the lots fall like that."""
    return build_records(picture_folders, tmp_path_factory.mktemp("data") / "records", validation_fraction=0.46)


def _first_kernels(run_dir):
    """Return the first kernels of the generator, its average and its optimizers' moments in the newest checkpoint."""
    reader = tf.train.load_checkpoint(recent_checkpoints(run_dir / "checkpoints")[-1])
    names = [name for name, shape in reader.get_variable_to_shape_map().items() if shape == [7, 7, 3, 4]]
    return {name: reader.get_tensor(name) for name in names}


@pytest.fixture(scope="module")
def everything(split_data_dir, tmp_path_factory) -> Path:
    """A run with everything switched on, of 4, 4 and 6 steps, as there are 4 photos to train on."""
    run_dir = tmp_path_factory.mktemp("runs") / "everything"
    flags = ["--adversarial_loss=hinge", "--discriminator_warmup_steps=4", "--pool_size=4", "--ema_decay=0.9"]
    flags += ["--color_weight=1", "--steps_per_call=3", "--generator_learning_rate=1e-2", "--num_samples=3"]
    assert train_small(split_data_dir, run_dir, *flags) == 0
    return run_dir


def test_phases_follow_one_another_and_no_call_goes_past_a_checkpoint(everything):
    names = sorted(path.stem for path in (everything / "samples").iterdir())
    assert names == [f"step_{step:07}" for step in (4, 5, 8, 10, 14)]
    found = scalars(everything)
    assert list(found["initialization/content_loss"]) == [4]
    assert list(found["warmup/discriminator_loss"]) == [8]
    assert list(found["adversarial/color_loss"]) == [13, 14]  # due at 12, in the middle of a call, and at the end


def test_curves_have_rates_norms_and_throughput(everything):
    found = scalars(everything)
    for network, rate in (("generator", 1e-2), ("discriminator", 1e-5)):
        assert found[f"adversarial/{network}_gradient_norm"][13] > 0
        assert 0 < found[f"adversarial/{network}_learning_rate"][13] < rate
    assert found["warmup/discriminator_learning_rate"][8] == pytest.approx(2e-4)
    assert found["adversarial/images_per_second"][13] > 0


def test_held_out_pictures_are_validated_at_each_checkpoint(everything):
    found = scalars(everything)
    assert list(found["adversarial/validation/content_loss"]) == [10, 14]
    assert list(found["warmup/validation/logits_cartoon"]) == [5, 8]
    assert not any("gradient" in tag for tag in found if "validation" in tag)
    values = found["adversarial/validation/content_loss"]
    assert values[10] != values[14] != found["adversarial/content_loss"][13]


def test_without_held_out_pictures_there_is_no_validation(data_dir, tmp_path):
    assert train_small(data_dir, tmp_path / "run", "--adversarial_epochs=0", "--initialization_loss=pixels") == 0
    assert not any("validation" in tag for tag in scalars(tmp_path / "run"))


def test_generator_keras_holds_the_average_and_the_checkpoint_both(everything):
    written = load_generator(everything / "generator.keras").get_layer("flat_conv").kernel.numpy()
    saved = _first_kernels(everything)
    (average,) = [kernel for name, kernel in saved.items() if name.startswith("averaged_generator")]
    (present,) = [kernel for name, kernel in saved.items() if "_trainable_variables" in name]
    np.testing.assert_array_equal(written, average)
    assert np.abs(average - present).max() > 1e-4


def test_the_record_of_a_run_has_each_start(everything, split_data_dir, tmp_path):
    starts = json.loads((everything / "run.json").read_text())["starts"]
    assert [start["first_step"] for start in starts] == [0]
    assert starts[0]["flags"]["color_weight"] == 1 and starts[0]["versions"]["tensorflow"] == tf.__version__
    assert len(starts[0]["data_sha256"]) == 64 and starts[0]["devices"]


@pytest.mark.slow
def test_going_on_is_recorded_and_other_data_is_said(everything, split_data_dir, data_dir, tmp_path, capsys):
    run_dir = tmp_path / "run"
    quickly = ("--initialization_loss=pixels", "--content_weight=0")
    assert train_small(split_data_dir, run_dir, *quickly) == 0
    assert train_small(split_data_dir, run_dir, *quickly, "--adversarial_epochs=4") == 0
    assert "not the data" not in capsys.readouterr().err
    assert train_small(data_dir, run_dir, *quickly, "--adversarial_epochs=5") == 0
    error = capsys.readouterr().err
    assert f"{data_dir}: not the data" in error and f"{run_dir}" in error and "4 batches" in error
    starts = json.loads((run_dir / "run.json").read_text())["starts"]
    assert [start["first_step"] for start in starts] == [0, 10, 12]


def test_resuming_with_what_the_checkpoint_lacks_is_refused(split_data_dir, everything, capsys):
    before = {"discriminator_warmup_steps": 4, "pool_size": 4, "ema_decay": 0.9, "crop_size": 0}
    for name, value in (("pool_size", 6), ("ema_decay", 0.5), ("crop_size", 32)):
        flags = [f"--{flag}={each}" for flag, each in (before | {name: value}).items()]
        assert train_small(split_data_dir, everything, *flags) == 1
        error = capsys.readouterr().err
        assert f"--{name}={value}" in error and f"--{name}={before[name]}" in error


@pytest.mark.slow
def test_a_dry_run_reports_what_a_run_takes_and_writes_nothing(split_data_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dry_run, "TIMED_SECS", 0)
    assert train_small(split_data_dir, tmp_path / "run", "--dry_run", "--discriminator_warmup_steps=40") == 0
    output = capsys.readouterr().out
    assert "0 of 50 steps are done" in output and "--content_weight=0.00062" in output
    assert re.search(r"initialization +4 .*\nwarmup +40 .*\nadversarial +6 ", output)
    assert "Training takes about" in output and "4 photos, 1 cartoons of 32 px" in output
    assert re.search(r"Disk of .* of [\d.,]+ GB", output) and "Memory of this machine" in output
    assert re.search(r"checkpoints +10 ", output)
    assert not (tmp_path / "run").exists()


def test_batches_that_kernels_do_not_compute_at_once_are_refused(data_dir, tmp_path, monkeypatch, capsys):
    """Pictures of 32 px with 64 channels have 65,536 values each; a single one has another limit."""

    def set_limits(of_batches=2**30, of_one=2**30):
        monkeypatch.setattr(kernel_limits, "most_values", lambda on_gpu: of_batches if on_gpu else of_one)

    def check(batch_size, discriminator="patch"):
        config = TrainConfig("data", "run", batch_size=batch_size, discriminator=discriminator)
        train.check_batch_size(config, num_replicas=1, image_size=32)

    set_limits(of_batches=2 * 65_536)
    check(2)
    with pytest.raises(InputError, match=r"--batch_size=3: .*--crop_size"):
        check(3)
    set_limits(of_batches=3 * 65_536, of_one=65_536)
    check(1, "features")  # VGG19 sees a cartoon, its smoothed copy and a photo together
    with pytest.raises(InputError, match="--batch_size=2: 6 pictures"):
        check(2, "features")
    set_limits(of_one=65_535)
    with pytest.raises(InputError, match="--batch_size=1: "):
        check(1)
    assert train_small(data_dir, tmp_path / "run", "--strategy=one", "--batch_size=1") == 1
    assert "--batch_size=1" in capsys.readouterr().err


@pytest.mark.parametrize("has_bfloat16, precision", [(True, "bfloat16"), (False, "off")])
def test_auto_precision_is_what_the_processor_has(monkeypatch, has_bfloat16, precision):
    monkeypatch.setattr(machine, "has_bfloat16", lambda: has_bfloat16)
    assert precision_to_use("auto") == precision
    assert precision_to_use("off") == "off" and precision_to_use("bfloat16") == "bfloat16"
    with computing_in("auto"):
        assert keras.config.dtype_policy().compute_dtype == {"bfloat16": "bfloat16", "off": "float32"}[precision]
    assert bool(slowness("bfloat16")) != has_bfloat16
    assert not slowness("auto") and not slowness("off")


@pytest.mark.parametrize("flags", [(), ("--dry_run",)])
def test_a_format_that_the_processor_lacks_is_said_with_the_flag_that_mends_it(
    data_dir, tmp_path, monkeypatch, capsys, flags
):
    monkeypatch.setattr(machine, "has_bfloat16", lambda: False)
    monkeypatch.setattr(dry_run, "TIMED_SECS", 0)
    flags = (*flags, "--mixed_precision=bfloat16", "--initialization_epochs=1", "--adversarial_epochs=0")
    assert train_small(data_dir, tmp_path / "run", *flags) == 0
    output = capsys.readouterr()
    warning = "WARNING: --mixed_precision=bfloat16"
    assert warning in output.err and (warning in output.out) == ("--dry_run" in flags)
    assert "--mixed_precision=auto" in output.err


def test_recipes_take_the_format_that_the_machine_has():
    for path in (REPOSITORY / "shinkai.flags", *(REPOSITORY / "configs").glob("*.flags")):
        expected = "off" if path.name == "paper.flags" else "auto"
        assert f"\n--mixed_precision={expected}\n" in path.read_text(), path


@pytest.mark.parametrize(
    "flags, days, advised",
    [
        ({}, 3, ["--generator=light", "--crop_size"]),
        ({"generator": "light"}, 3, ["--crop_size"]),
        ({"generator": "light", "crop_size": 96}, 3, []),
        ({}, 1, []),
    ],
)
def test_a_dry_run_of_days_on_a_cpu_advises_how_to_shorten_it(flags, days, advised):
    config = TrainConfig(data_dir="data", run_dir="run", **flags)
    sentences = dry_run.advise(config, days * 86400)
    assert len(sentences) == len(advised)
    for sentence, flag in zip(sentences, advised, strict=True):
        assert flag in sentence


@pytest.mark.slow
def test_a_dry_run_counts_what_is_left(split_data_dir, everything, capsys):
    before = {path: path.stat().st_mtime_ns for path in everything.rglob("*")}
    flags = ["--adversarial_loss=hinge", "--discriminator_warmup_steps=4", "--pool_size=4", "--ema_decay=0.9"]
    assert train_small(split_data_dir, everything, *flags, "--adversarial_epochs=10", "--dry_run") == 0
    output = capsys.readouterr().out
    assert "14 of 28 steps are done" in output and re.search(r"adversarial +14 ", output)
    assert "initialization  " not in output
    assert before == {path: path.stat().st_mtime_ns for path in everything.rglob("*")}


@pytest.mark.slow
def test_how_steps_are_run_changes_nothing(data_dir, tmp_path):
    """Four steps in a call see four batches; each summary's means are of the same steps."""
    flags = ["--checkpoint_every_steps=12", "--summary_every_steps=4", "--generator_learning_rate=1e-5"]
    assert train_small(data_dir, tmp_path / "plain", *flags) == 0
    assert train_small(data_dir, tmp_path / "other", *flags, "--strategy=one", "--steps_per_call=4") == 0
    plain, other = scalars(tmp_path / "plain"), scalars(tmp_path / "other")
    for tag in ("initialization/content_loss", "adversarial/content_loss", "adversarial/discriminator_loss"):
        assert list(plain[tag]) == list(other[tag]) and len(plain[tag]) >= 2
        for step, value in plain[tag].items():
            np.testing.assert_allclose(other[tag][step], value, rtol=1e-4, err_msg=f"{tag} {step}")


@pytest.mark.slow
def test_bfloat16_trains_and_saves_float32(data_dir, tmp_path):
    assert train_small(data_dir, tmp_path / "run", "--mixed_precision=bfloat16", "--checkpoint_every_steps=10") == 0
    generator = load_generator(tmp_path / "run" / "generator.keras")
    assert {layer.compute_dtype for layer in generator.layers} == {"float32"}
    assert {weights.dtype for weights in generator.weights} == {"float32"}
    assert {kernel.dtype for kernel in _first_kernels(tmp_path / "run").values()} == {np.dtype("float32")}


@pytest.mark.slow
def test_what_is_wrong_is_said_once_and_kept(data_dir, tmp_path, capsys):
    """A discriminator that learns nothing stays at chance."""
    flags = ["--discriminator_learning_rate=1e-12", "--adversarial_epochs=35", "--pool_size=0"]
    assert train_small(data_dir, tmp_path / "run", *flags, "--checkpoint_every_steps=70") == 0
    error = capsys.readouterr().err
    assert error.count("not distinguished anything") == 1 and "--discriminator_warmup_steps" in error
    assert "not distinguished anything" in (tmp_path / "run" / "warnings.txt").read_text()
