import re

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from export import benchmark_tflite
from export.benchmark_tflite import BenchmarkConfig, Case

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(converted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tflite")
    (folder / "free.tflite").write_bytes(converted("paper", "fp32"))
    (folder / "fixed.tflite").write_bytes(converted("paper", "fp16", (64, 32)))
    return folder


def _run(*flags):
    return benchmark_tflite.main(["benchmark_tflite", *flags])


def test_the_table_has_each_file_at_each_size_and_number_of_threads(files, tmp_path, capsys):
    models = f"{files}/free.tflite,{files}/fixed.tflite"
    output = tmp_path / "table.md"
    assert _run(f"--models={models}", "--sizes_px=16,24", "--threads=1,2", "--rounds=2", f"--output={output}") == 0
    text = output.read_text()
    assert text in capsys.readouterr().out and f"--models={models}" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| f", line)][1:]
    cases = {(name, size, threads) for name, size, threads, *_ in rows}
    free = {("free.tflite", f"{side} x {side}", threads) for side in (16, 24) for threads in "12"}
    assert cases == free | {("fixed.tflite", "64 x 32", threads) for threads in "12"}
    for name, _, _, milliseconds, ratio, peak, loaded in rows:
        assert milliseconds.isdecimal() and float(peak) >= float(loaded) > 10
        assert ratio == ("1.00" if name == "free.tflite" else "-")


def test_files_of_the_same_size_and_threads_take_turns(files):
    cases = [
        Case(files / name, num_threads, size)
        for num_threads, size in ((1, (16, 16)), (2, (16, 16)), (1, (24, 8)))
        for name in ("free.tflite", "other.tflite")
    ]
    calls = []

    def measure(workers, photo, rounds):
        calls.append((list(workers), photo.shape, rounds))
        for case, arguments in workers.items():
            assert arguments == (benchmark_tflite.load, case.path, case.num_threads)
        return {case: [float(len(calls))] * rounds for case in workers}

    times = benchmark_tflite.seconds(cases, 3, measure)
    assert [group for group, _, _ in calls] == [cases[:2], cases[2:4], cases[4:]]
    assert [(shape, rounds) for _, shape, rounds in calls] == [((1, 16, 16, 3), 3)] * 2 + [((1, 24, 8, 3), 3)]
    assert times == {case: [1.0 + index // 2] * 3 for index, case in enumerate(cases)}


def test_a_worker_draws_a_picture_of_the_cases_size(files):
    case = Case(files / "free.tflite", 1, (24, 16))
    load, *arguments = case.worker_arguments
    photo = case.photo()
    assert photo.dtype == np.float32 and -1 <= photo.min() < photo.max() <= 1
    assert load(*arguments)(photo).shape == (1, 24, 16, 3)


@pytest.mark.parametrize(
    "flag",
    ["models=", "sizes_px=10", "sizes_px=4", "sizes_px=big", "sizes_px=100000", "threads=,", "threads=0", "rounds=0"],
)
def test_flags_that_cannot_be_used(flag, capsys):
    assert _run("--models=a", f"--{flag}") == 2
    assert f"--{flag.partition('=')[0]}" in capsys.readouterr().err


def test_numbers_are_used_once():
    config = BenchmarkConfig(models="a", sizes_px="8192,8,8", threads="256,1,256")
    assert config.numbers("sizes_px") == [8192, 8] and config.numbers("threads") == [256, 1]
    with pytest.raises(InputError, match="--threads=257"):
        BenchmarkConfig(models="a", threads="257")


def test_files_that_cannot_be_used_are_named(tmp_path, capsys):
    assert _run(f"--models={tmp_path}/none.tflite") == 1
    assert "none.tflite" in capsys.readouterr().err
    (tmp_path / "a.tflite").write_text("hello")
    assert _run(f"--models={tmp_path}/a.tflite") == 1
    assert "a.tflite" in capsys.readouterr().err
