import json

import numpy as np
import pytest

from export import report
from export.config import ExportConfig
from export.parity import Parity


def _entry(path, psnr_db, budget_db, **fields):
    parity = Parity(psnr_db, 0.98765, psnr_db, 1.0, 4)
    fields = {"format": "fp32", "takes": "photos", "operators": {"CONV_2D": 3}, "stays_float": "nothing", **fields}
    return report.Entry.of_file(b"12345", path=path, parity=parity, budget_db=budget_db, **fields)


ENTRIES = {
    "good": _entry("tflite/good.tflite", 40.0, 40.0),
    "low": _entry("tflite/low.tflite", 39.94, 40.0),
    "lenient": _entry("tflite/lenient.tflite", 25.0, 20.0),
    "free": _entry("tflite/free.tflite", 30.0, None),
    "far": _entry("tflite/far.tflite", 29.9, None),
    "equal": _entry("onnx/equal.onnx", np.inf, 60.0, operators={"Conv": 0}),
    "broken": _entry("onnx/broken.onnx", -np.inf, None, proof="More was checked."),
}


def test_a_summary_warns_of_files_that_differ():
    summaries = {name: report.summary(entry) for name, entry in ENTRIES.items()}
    assert {name for name, text in summaries.items() if "BELOW BUDGET" in text} == {"low"}
    assert {name for name, text in summaries.items() if "FAR OFF" in text} == {"far", "broken"}
    assert "tflite/low.tflite" in summaries["low"] and "39.9 dB, SSIM 0.9877" in summaries["low"]


@pytest.fixture
def texts(generator_path):
    config = ExportConfig(output_dir="my out", model=str(generator_path), name="demo")
    return report.texts(list(ENTRIES.values()), config, 4, ["tflite/old.tflite"])


def test_the_json_has_every_fact(texts):
    content = json.loads(texts["report.json"])
    files = {entry["path"]: entry for entry in content["files"]}
    assert list(files) == [entry.path for entry in ENTRIES.values()]
    assert [path for path, entry in files.items() if entry["is_below_budget"]] == ["tflite/low.tflite"]
    assert files["onnx/equal.onnx"]["parity"]["psnr_db"] is None  # JSON has no infinity
    assert files["tflite/good.tflite"]["parity"]["ssim"] == 0.98765
    assert (files["tflite/good.tflite"]["num_bytes"], len(files["tflite/good.tflite"]["sha256"])) == (5, 64)
    assert content["of_earlier_exports"] == ["tflite/old.tflite"]
    assert content["command"].startswith("python -m export.export_model --output_dir='my out'")


def test_the_markdown_marks_files_that_differ(texts):
    text = texts["report.md"]
    rows = {name: next(line for line in text.splitlines() if f"| `{ENTRIES[name].path}`" in line) for name in ENTRIES}
    assert rows["good"] == "| `tflite/good.tflite` | 0.0 | photos | 40.0, 40.0 | 0.9877, 1.0000 | 40 |"
    assert {name for name, row in rows.items() if "**missed**" in row} == {"low"}
    assert {name for name, row in rows.items() if "*far off*" in row} == {"far", "broken"}
    assert "equal, equal" in rows["equal"] and "not finite" in rows["broken"] and "| - |" in rows["free"]
    assert "CONV_2D 3" in text and "`onnx/equal.onnx`: Conv\n" in text and "More was checked." in text
    assert "tflite/old.tflite" in text
    benchmark = text.splitlines()[-2]
    assert benchmark.startswith("python -m export.benchmark_tflite --models='my out/tflite/good.tflite,")
    assert "onnx" not in benchmark
