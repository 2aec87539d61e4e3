import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.training import distribution
from cartoongan_tf.training.cluster import Cluster, read_tf_config
from tests import workers

TWO = {"worker": ["a:1", "b:1"]}
WITH_CHIEF = {"chief": ["c:1"], "worker": ["a:1", "b:1"]}


def _tf_config(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def test_workers_are_numbered_as_the_strategy_numbers_them():
    for text, num_workers, worker in [
        (_tf_config(TWO), 2, 0),
        (_tf_config(TWO, index=1), 2, 1),
        (_tf_config(TWO, index="1"), 2, 1),
        (_tf_config(WITH_CHIEF, "chief"), 3, 0),
        (_tf_config(WITH_CHIEF, "worker", 0), 3, 1),
        (_tf_config(WITH_CHIEF, "worker", 1), 3, 2),
        (_tf_config({"chief": ["c:1"]}, "chief"), 1, 0),
        (_tf_config({"chief": ["c:1"], "worker": []}, "chief"), 1, 0),
    ]:
        cluster = read_tf_config(text)
        assert (cluster.num_workers, cluster.worker, cluster.is_chief) == (num_workers, worker, worker == 0), text
        task = json.loads(text)
        address = task["cluster"][task["task"]["type"]][int(task["task"]["index"])]
        assert cluster.addresses[cluster.worker] == address, text
        assert sorted([address, *cluster.other_addresses]) == sorted(cluster.addresses), text


def test_an_unusable_tf_config_is_answered_with_a_usable_one():
    for text, reason in [
        ("", "not set"),
        ("{worker: 0}", "property name"),
        ("[]", "indices must be"),
        ("{}", "'cluster'"),
        ('{"cluster": {}}', "'task'"),
        (_tf_config({}), "worker 0"),
        (_tf_config(["a:1"]), "type"),
        (_tf_config(TWO, index=2), "worker 2"),
        (_tf_config(TWO, index=-1), "worker -1"),
        (_tf_config(TWO, index=None), "int"),
        (_tf_config(TWO, "chief"), "chief 0"),
        (_tf_config(TWO, "evaluator"), 'type "evaluator"'),
        (_tf_config({**TWO, "ps": ["p:1"]}), 'type "ps"'),
        (_tf_config({**TWO, "chief": ["c:1", "d:1"]}), "more than one chief"),
        (_tf_config({"worker": "a:1"}), "not an address"),
        (_tf_config({"worker": ["a", "b:1"]}), '"a" is not an address'),
        (_tf_config({"worker": ["a:1", "a:1"]}), "twice"),
        (_tf_config({"chief": ["a:1"], "worker": ["a:1"]}), "twice"),
    ]:
        with pytest.raises(InputError, match=reason) as raised:
            read_tf_config(text)
        (example,) = (line for line in str(raised.value).splitlines() if line.startswith("    TF_CONFIG="))
        usable = example.strip().removeprefix("TF_CONFIG='").removesuffix("'")
        assert read_tf_config(usable).num_workers == 2, text


def test_several_machines_need_tf_config(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="--strategy=multi_worker: TF_CONFIG"):
        distribution.build_strategy("multi_worker")


@pytest.mark.parametrize(
    "kind, strategy_class", [("one", tf.distribute.OneDeviceStrategy), ("mirrored", tf.distribute.MirroredStrategy)]
)
def test_one_machine_ignores_tf_config(kind, strategy_class, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", _tf_config(TWO))
    strategy = distribution.build_strategy(kind)
    num_gpus = len(tf.config.list_physical_devices("GPU"))
    assert isinstance(strategy, strategy_class)
    assert strategy.num_replicas_in_sync == (max(num_gpus, 1) if kind == "mirrored" else 1)
    assert ("GPU" if num_gpus else "CPU") in capsys.readouterr().out
    with strategy.scope():
        weight = tf.Variable(1.0)
    device = strategy.experimental_local_results(strategy.run(lambda: weight + 1))[0].device
    assert ("GPU:0" if num_gpus else "CPU:0") in device
    assert distribution.cluster_of(strategy) == Cluster() == ((), 0)


def test_a_machine_that_trains_alone_asks_nobody(two_replicas):
    cluster = distribution.cluster_of(two_replicas)
    assert (cluster.num_workers, cluster.worker, cluster.is_chief) == (1, 0, True)
    assert distribution.from_all_workers(two_replicas, 7) == [7]
    assert distribution.any_worker(two_replicas, True) and not distribution.any_worker(two_replicas, False)
    assert distribution.same_everywhere(two_replicas, 7)


def test_a_machine_that_trains_alone_loses_nobody(two_replicas):
    with pytest.raises(tf.errors.UnavailableError), distribution.explaining_lost_workers(two_replicas):
        raise tf.errors.UnavailableError(None, None, "storage")


# From here on: real workers, each of them a process that calls `_work`.

BATCH = 4
NUM_STEPS = 12
LEFT = "all have left"


def _work(folder: str, late: str = "") -> int:
    """Run a few steps as a worker of these tests, and then what `late` asks for."""
    program.start_tensorflow()
    try:
        _train(Path(folder), late)
    except InputError as error:
        print(f"error: {error}")
        return 1
    return 0


def _train(folder: Path, late: str) -> None:
    strategy = distribution.build_strategy("multi_worker")
    cluster = distribution.cluster_of(strategy)
    with distribution.explaining_lost_workers(strategy):
        with strategy.scope():  # each begins with another weight; all continue with the chief's
            weight = tf.Variable(float(cluster.worker))
        batches = iter(strategy.distribute_datasets_from_function(_examples))
        print("losses", _steps(strategy, weight, batches).numpy().tolist(), "weight", float(weight.numpy()))
        print("all", distribution.from_all_workers(strategy, cluster.worker - 10))
        flags = (cluster.worker == 1, False)
        print("any", [distribution.any_worker(strategy, flag) for flag in flags])
        print("same", [distribution.same_everywhere(strategy, number) for number in (3, cluster.worker)], flush=True)
        while late == "for ever":
            distribution.any_worker(strategy, False)
        if late == "chief" and cluster.is_chief:
            time.sleep(12)  # longer than workers wait for one another's heartbeat
        if cluster.is_chief:
            (folder / "written").touch()
    print(LEFT, flush=True)
    assert (folder / "written").exists()


def _examples(context: tf.distribute.InputContext) -> tf.data.Dataset:
    """Return this worker's part of batches of numbers from 0 up."""
    numbers = tf.data.Dataset.range(10**6).map(lambda number: tf.cast(number, tf.float32) / 100)
    part = context.get_per_replica_batch_size(BATCH) * context.num_replicas_in_sync // context.num_input_pipelines
    parts = numbers.batch(part).shard(context.num_input_pipelines, context.input_pipeline_id)
    return parts.rebatch(context.get_per_replica_batch_size(BATCH))


@tf.function
def _steps(strategy, weight, batches):
    """Run several steps in one call; return the losses of all workers, summed."""

    def step(examples):
        loss = tf.reduce_sum((weight * examples - 1) ** 2)
        context = tf.distribute.get_replica_context()
        gradient = context.all_reduce("SUM", tf.reduce_sum(2 * examples * (weight * examples - 1)))
        weight.assign_sub(0.1 * gradient)
        return loss

    def one(_):
        return strategy.reduce("SUM", strategy.run(step, args=(next(batches),)), axis=None)

    return tf.map_fn(one, tf.range(NUM_STEPS), fn_output_signature=tf.float32, parallel_iterations=1)


def _expected():
    """Compute losses and weight of the same steps by NumPy, on one machine."""
    weight = 0.0
    losses = []
    for batch in np.arange(NUM_STEPS * BATCH).reshape(NUM_STEPS, BATCH) / 100:
        losses.append(((weight * batch - 1) ** 2).sum())
        weight -= 0.1 * (2 * batch * (weight * batch - 1)).sum()
    return losses, weight


def _started(num_workers, folder, late="", has_chief=False):
    code = f"import sys; from {__name__} import _work; sys.exit(_work({str(folder)!r}, {late!r}))"
    return workers.started([sys.executable, "-c", code], num_workers, has_chief)


@pytest.mark.slow
@pytest.mark.parametrize("num_workers, has_chief", [(2, True), (1, False)])
def test_workers_train_as_one_machine_would(num_workers, has_chief, tmp_path):
    late = "chief" if has_chief else ""
    with _started(num_workers, tmp_path, late, has_chief) as started:
        assert [worker.wait(300) for worker in started] == [0] * num_workers
        outputs = [worker.output for worker in started]
    for number, output in enumerate(outputs):
        assert f"This is worker {number} of {num_workers}" in output
        assert ("the chief" in output) == (number == 0)
        assert f"all {[worker - 10 for worker in range(num_workers)]}\n" in output
        assert f"any {[num_workers > 1, False]}\nsame {[True, num_workers == 1]}\n" in output
        (line,) = (line for line in output.splitlines() if line.startswith("losses"))
        losses, weight = line.removeprefix("losses ").split(" weight ")
        np.testing.assert_allclose(json.loads(losses), _expected()[0], rtol=1e-5)
        np.testing.assert_allclose(float(weight), _expected()[1], rtol=1e-5)
        # On a busy machine a process may take longer to end than TensorFlow waits for a heartbeat of a worker that is
        # gone. The chief ends last, so its output may have such a report at the end, and no other worker's may.
        before_its_end = output.partition(LEFT)[0] if number == 0 else output
        assert LEFT in output and "UNAVAILABLE" not in before_its_end and "Traceback" not in output


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_worker_stops_the_others(lost, tmp_path):
    with _started(2, tmp_path, "for ever") as started:
        for worker in started:
            worker.wait_for("same", 300)
        started[lost].kill()
        survivor = started[1 - lost]
        assert survivor.wait(120) == 1
        assert "error: another worker was lost" in survivor.output
        assert "Traceback" not in survivor.output


@pytest.mark.slow
def test_a_worker_waits_for_the_others_until_it_is_interrupted(tmp_path):
    with _started(2, tmp_path) as started:
        started[1].kill()
        started[0].wait_for("This is worker 0 of 2, the chief. Waiting for localhost:", 300)
        time.sleep(2)
        started[0].process.send_signal(signal.SIGINT)
        assert started[0].wait(20) == -signal.SIGINT


@pytest.mark.slow
def test_a_port_that_is_taken_is_an_error(tmp_path):
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("", 0))).getsockname()[1]
        tf_config = {"cluster": {"worker": [f"localhost:{taken}"]}, "task": {"type": "worker", "index": 0}}
        code = f"import sys; from {__name__} import _work; sys.exit(_work({os.fspath(tmp_path)!r}))"
        worker = workers.start([sys.executable, "-c", code], tf_config)
        stack.callback(worker.kill)
        assert worker.wait(300) == 1
        assert f"error: this worker 0 of 1, the chief, cannot join the others as localhost:{taken}" in worker.output
