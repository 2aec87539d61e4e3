import json

import numpy as np
import pytest

from export import export_model

RUNTIME = pytest.importorskip("onnxruntime", reason="the extra is not installed: pip install '.[onnx]'")
pytest.importorskip("tf2onnx", reason="the extra is not installed: pip install '.[onnx]'")


def _export(generator_path, folder):
    return export_model.main(
        ["x", f"--model={generator_path}", "--name=demo", f"--output_dir={folder}", "--formats=onnx"]
    )


def test_an_onnx_file_draws_what_keras_draws(generator, generator_path, tmp_path):
    assert _export(generator_path, tmp_path) == 0
    session = RUNTIME.InferenceSession(tmp_path / "onnx" / "demo.onnx", providers=["CPUExecutionProvider"])
    assert [end.name for end in (*session.get_inputs(), *session.get_outputs())] == ["photo", "cartoon"]
    for seed, shape in enumerate([(1, 8, 8, 3), (2, 64, 36, 3)]):
        photo = np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
        np.testing.assert_allclose(session.run(None, {"photo": photo})[0], generator(photo), atol=1e-4)
    (entry,) = json.loads((tmp_path / "report.json").read_text())["files"]
    assert entry["parity"]["psnr_db"] > 60 and entry["operators"]["Conv"] > 5
