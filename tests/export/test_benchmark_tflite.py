import re

import pytest

from export import benchmark_tflite, tflite
from export.tflite_file import Metadata


@pytest.fixture(scope="module")
def files(generator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tflite")
    (folder / "free.tflite").write_bytes(tflite.convert(generator, "fp32", Metadata("free")))
    (folder / "fixed.tflite").write_bytes(tflite.convert(generator, "fp16", Metadata("fixed"), (24, 16)))
    return folder


def _run(*flags):
    return benchmark_tflite.main(["benchmark_tflite", *flags])


@pytest.mark.slow
def test_the_table_has_each_file_at_each_size_and_number_of_threads(files, tmp_path, capsys):
    models, output = f"{files}/free.tflite,{files}/fixed.tflite", tmp_path / "table.md"
    assert _run(f"--models={models}", "--sizes_px=16,24", "--threads=1,2", "--rounds=2", f"--output={output}") == 0
    text = output.read_text()
    assert text in capsys.readouterr().out and f"--models={models}" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| f", line)][1:]
    found = {(name, size, threads) for name, size, threads, *_ in rows}
    free = {("free.tflite", f"{side} x {side}", threads) for side in (16, 24) for threads in "12"}
    assert found == free | {("fixed.tflite", "24 x 16", threads) for threads in "12"}
    for name, _, _, milliseconds, ratio, peak, loaded in rows:
        assert milliseconds.isdecimal() and float(peak) >= float(loaded) > 10
        assert ratio == ("1.00" if name == "free.tflite" else "-")


def test_times_are_those_of_drawing(files):
    """Sixteen times the pixels take longer."""
    cases = [benchmark_tflite.Case(files / "free.tflite", 1, (side, side)) for side in (64, 256)]
    small, large = (min(times) for times in benchmark_tflite.seconds(cases, 3).values())
    assert 0 < small < large


@pytest.mark.parametrize(
    "flags, status, complaint",
    [
        (["--models="], 2, "--models is missing"),
        (["--models=none.tflite"], 1, "none.tflite: no such file"),
        (["--models=a", "--sizes_px=10"], 2, "multiples of 4"),
        (["--models=a", "--sizes_px=big"], 2, "--sizes_px=big"),
        (["--models=a", "--sizes_px=100000"], 2, "8192"),
        (["--models=a", "--threads=,"], 2, "--threads"),
        (["--models=a", "--threads=0"], 2, "--threads"),
        (["--models=a", "--rounds=0"], 2, "--rounds"),
    ],
)
def test_flags_that_cannot_be_used(flags, status, complaint, capsys):
    assert _run(*flags) == status
    assert complaint in capsys.readouterr().err


def test_a_file_that_is_no_model_is_named(tmp_path, capsys):
    (tmp_path / "a.tflite").write_text("hello")
    assert _run(f"--models={tmp_path}/a.tflite") == 1
    assert "a.tflite: not a .tflite file" in capsys.readouterr().err
