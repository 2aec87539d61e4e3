import os
import shutil
import time

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf

from cartoongan_tf.base import memory
from cartoongan_tf.training import dry_run_report
from cartoongan_tf.training.dry_run_report import CheckpointEstimate, PhaseEstimate, Room, StepTime


def test_the_size_of_a_checkpoint_is_that_of_its_files(tmp_path):
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(1000), keras.layers.BatchNormalization()])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    variable = tf.Variable(np.zeros((50, 8, 8, 3), np.float16))
    module = tf.Module()
    module.pictures = variable
    counter = tf.Variable(0, dtype=tf.int64)
    parts = {"model": model, "optimizer": optimizer, "module": module, "again": variable, "counter": counter}
    tf.train.Checkpoint(**parts).write(str(tmp_path / "checkpoint"))
    written = sum(path.stat().st_size for path in tmp_path.glob("checkpoint.data*"))
    computed = dry_run_report.variable_bytes(parts.values())
    assert computed > 3 * 4 * 101_000  # weights and both moments
    assert computed == pytest.approx(written, rel=0.02)


def test_mirrored_variables_are_counted_once(two_replicas):
    with two_replicas.scope():
        model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(10)])
    assert dry_run_report.variable_bytes([model]) == 4 * 1010


def test_disk_of_a_folder_that_is_still_to_be_made(tmp_path):
    room = dry_run_report.disk_check(tmp_path / "new" / "run", 10**9, 3, 10**8, 2)
    assert room.available == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.05)
    assert 6.2e9 <= room.needed < 6.5e9  # 3 newest, 2 for good, one being written; two generators
    assert room.place == f"disk of {os.path.realpath(tmp_path)}"
    assert dry_run_report.disk_check(tmp_path, 10**18, 3, 10**8, 0).is_short


def test_what_a_run_has_on_disk_already_is_not_counted_twice(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "step-1").write_bytes(bytes(300_000_000))
    room = dry_run_report.disk_check(tmp_path, 10**8, 1, 10**8, 0)
    assert room.available - shutil.disk_usage(tmp_path).free == pytest.approx(3e8, abs=1e8)


def test_memory_is_the_peak_and_not_what_is_in_use_now():
    before = memory.peak_bytes()
    held = np.ones(300_000_000, np.uint8)
    in_use = psutil.Process().memory_info().rss
    assert memory.peak_bytes() >= max(before, 0.99 * in_use) and held.sum() == held.size
    del held
    *_, machine = dry_run_report.memory_check()
    assert machine.needed > 300_000_000 and machine.needed > 1.05 * 0.99 * in_use
    assert machine.needed < machine.available <= psutil.virtual_memory().total
    assert machine.place == "memory of this machine" and not machine.is_short


@pytest.mark.parametrize("least_secs, most_steps, calls", [(0.12, 50, 3 + 1), (0, 50, 2 + 1), (9, 5, 5 + 1)])
def test_the_first_call_is_timed_apart_and_stalls_count(least_secs, most_steps, calls):
    waits = [0.2, 0.05, 0.01, 0.1, 0.0, 0.0]
    left = iter(waits)
    step_time = dry_run_report.time_steps(lambda: time.sleep(next(left)), least_secs, most_steps)
    assert len(list(left)) == len(waits) - calls
    mean_wait = sum(waits[1:calls]) / (calls - 1)
    assert 0.2 <= step_time.first_secs < 1
    assert mean_wait <= step_time.step_secs < 0.1 + mean_wait


def test_durations_have_two_units():
    for secs, text in [
        (0.2, "0 seconds"),
        (1, "1 second"),
        (100, "1 minute and 40 seconds"),
        (3599.9, "1 hour"),
        (2 * 3600 + 20 * 60 + 29, "2 hours and 20 minutes"),
        (86400 + 3600, "1 day and 1 hour"),
        (5.999 * 86400, "6 days"),
    ]:
        assert dry_run_report.duration(secs) == text


PHASES = [
    PhaseEstimate("initialization", 10_000, StepTime(20.0, 0.36)),
    PhaseEstimate("warmup", 0, StepTime(9.0, 9.0)),
    PhaseEstimate("adversarial", 100_000, StepTime(60.0, 1.8)),
]

CHECKPOINTS = CheckpointEstimate(1_000, 9.0)


def test_the_report_tells_phases_and_the_whole_time():
    text = dry_run_report.report("5,402 photos", PHASES, CHECKPOINTS, [Room("disk of /data", 10**9, 10**12)])
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert rows["initialization"] == ["10,000", "20.0", "0.360", "1.0"]
    assert rows["adversarial"] == ["100,000", "60.0", "1.800", "50.0"]
    assert "warmup" not in rows
    assert rows["checkpoints"] == ["1,000", "9.000", "2.5"]
    assert "about 2 days and 6 hours" in text  # 1, 50 and 2.5 hours
    assert "Disk of /data: training takes 1.0 GB of 1,000 GB" in text and "WARNING" not in text


def test_what_is_short_is_said_with_the_flags_that_help():
    rooms = [
        Room("disk of /data", 3 * 10**9, 10**9),
        Room("memory of GPU:0", 81 * 10**9, 80 * 10**9),
        Room("memory of this machine", 10**9, None),
    ]
    text = dry_run_report.report("5,402 photos", PHASES, CHECKPOINTS, rooms, ["it is slow; give --fast"])
    *_, disk, memory = text.splitlines()
    assert "WARNING: it is slow; give --fast." in text
    assert disk.startswith("WARNING: the disk of /data is short by 2.0 GB") and "--keep_checkpoints" in disk
    assert memory.startswith("WARNING: the memory of GPU:0 is short by 1.0 GB") and "--batch_size" in memory
