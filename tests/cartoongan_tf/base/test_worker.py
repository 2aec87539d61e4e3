import os
import signal
import threading
import time

import psutil
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.worker import Worker, WorkerDied


def load_calculator(report, start):
    """Loaded in the worker's process; counts its own calls."""
    calls = []

    def calculate(kind, value):
        calls.append(kind)
        match kind:
            case "add":
                return start + value, len(calls), os.getpid()
            case "report":
                for part in range(value):
                    report((part + 1) / value)
            case "refuse":
                raise InputError(f"no {value}")
            case "signal":
                os.kill(os.getpid(), value)
            case "exit":
                os._exit(value)
            case "lambda":
                return lambda: value
            case "sleep":
                time.sleep(value)

    return calculate


def load_nothing(report):
    raise InputError("there is no such model")


@pytest.fixture
def worker():
    with Worker(load_calculator, 10) as worker:
        yield worker


def test_it_loads_once_in_a_process_of_its_own(worker):
    results = [worker.call("add", value) for value in (1, 2)]
    assert [result[:2] for result in results] == [(11, 1), (12, 2)]
    assert results[0][2] == results[1][2] != os.getpid()


def test_progress_and_errors_come_back(worker):
    shown = []
    assert worker.call("report", 4, on_progress=shown.append) is None
    assert shown == [0.25, 0.5, 0.75, 1.0]
    with pytest.raises(InputError, match="no bread") as refused:
        worker.call("refuse", "bread")
    assert "in calculate" in refused.value.__notes__[0]
    assert worker.call("add", 1)[:2] == (11, 3)


@pytest.mark.parametrize(
    "kind, value, told",
    [("signal", signal.SIGABRT, "SIGABRT"), ("signal", signal.SIGKILL, "SIGKILL"), ("exit", 3, "status 3")],
)
def test_a_death_costs_the_call_in_hand_and_nothing_else(worker, kind, value, told):
    first = worker.call("add", 1)
    with pytest.raises(WorkerDied, match=told):
        worker.call(kind, value)
    again = worker.call("add", 1)
    assert again[0] == 11 and again[1] == 1 and again[2] != first[2]


def test_a_death_between_two_calls_is_told_too(worker):
    *_, process = worker.call("add", 1)
    os.kill(process, signal.SIGKILL)
    time.sleep(0.5)
    with pytest.raises(WorkerDied, match="SIGKILL"):
        worker.call("add", 1)
    assert worker.call("add", 1)[0] == 11


def test_what_cannot_be_loaded_is_said_at_the_first_call():
    with Worker(load_nothing) as worker:
        for _ in range(2):
            with pytest.raises(InputError, match="no such model"):
                worker.call()


def test_threads_wait_for_each_other(worker):
    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(worker.call("add", n)[:1])) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(10 + n,) for n in range(8)]


def test_it_ends_at_once_whatever_it_does():
    worker = Worker(load_calculator, 10)
    *_, process = worker.call("add", 1)
    thread = threading.Thread(target=_call_until_death, args=(worker,))
    thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    worker.close()
    thread.join()
    assert time.monotonic() - began < 10 and not psutil.pid_exists(process)


def _call_until_death(worker):
    with pytest.raises(WorkerDied):
        worker.call("sleep", 60)


def test_what_cannot_leave_the_process_is_told(worker):
    with pytest.raises(RuntimeError, match="cannot be sent"):
        worker.call("lambda", 1)
    assert worker.call("add", 1)[:2] == (11, 2)


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(worker):
    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.call("report", 2, on_progress=interrupt)
    assert worker.call("add", 1)[0] == 11
