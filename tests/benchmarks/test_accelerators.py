import os

import numpy as np
import pytest

from benchmarks import accelerators
from benchmarks.accelerator_drawing import compare
from benchmarks.accelerator_place import Finding, Place, describe_devices
from benchmarks.accelerators import CHECKS
from tests.helpers import table_rows

ON_CPU = Place(num_gpus=0, is_tiny=True, steps=1)


def _end(place):
    os._exit(3)


def _raise(place):
    raise ValueError("a | b\nc")


@pytest.mark.slow
def test_a_report_of_a_cpu_says_what_it_skipped(tmp_path):
    output = tmp_path / "report.md"
    assert accelerators.main(["x", "--device=cpu", "--steps=1", f"--output={output}"]) == 0
    found = table_rows(output)
    assert list(found) == ["check", *CHECKS]
    needs_gpu = {"training step, TF32", "samples", "out of memory, to bands"}
    for name, (measured, verdict) in list(found.items())[1:]:
        if name in needs_gpu:
            assert (measured, verdict) == ("", "skipped: no GPU"), name
        elif name == "time of an epoch":
            assert verdict == "skipped: tiny networks"
        else:
            assert verdict == "pass" and any(map(str.isdigit, measured)), name
    assert "Devices: the CPU. Size: tiny." in output.read_text()


def test_a_check_that_breaks_is_a_failed_one():
    assert accelerators._run(_end, ON_CPU) == Finding("", "fail: its process died")
    assert accelerators._run(_raise, ON_CPU) == Finding("", "fail: ValueError: a / b")


def test_drawings_that_differ_by_more_than_rounding_are_noticed():
    drawing = np.full((1, 4, 4, 3), 100, np.uint8)
    assert compare(drawing, drawing - 2, "they") == Finding("they differ by at most 2 of 255", "pass")
    assert compare(drawing, drawing - 3, "they") == Finding("they differ by at most 3 of 255", "fail: more than 2")


@pytest.mark.slow
def test_a_machine_without_gpu_cannot_check_one(capsys):
    if describe_devices():
        pytest.skip("this machine has a GPU")
    assert accelerators.main(["x", "--device=gpu"]) == 1
    assert "--device=gpu: TensorFlow finds no GPU" in capsys.readouterr().err
