import pytest

from benchmarks import int8_activations
from tests.helpers import draw


def _run(*flags):
    return int8_activations.main(["int8_activations", *map(str, flags)])


@pytest.mark.slow
def test_the_table_has_every_method(generator_path, tmp_path, monkeypatch):
    from cartoongan_tf.media import pictures

    monkeypatch.setattr(int8_activations, "SIZE_PX", (32, 32))
    for seed in range(2):
        pictures.write_picture(tmp_path / "photos" / f"{seed}.png", draw(seed, 64, 64))
    output = tmp_path / "table.md"
    flags = [f"--model={generator_path}", f"--calibration_dir={tmp_path}/photos", "--rounds=2", f"--output={output}"]
    assert _run(*flags) == 0
    rows = [line.strip("| ").split(" | ") for line in output.read_text().splitlines() if line.startswith("| ")][2:]
    scores = {method: float(psnr) for method, _, psnr, *_ in rows}
    assert len(rows) == 13 and "Does not run: TensorFlow's converter, activations of 16 bits" in output.read_text()
    assert rows[0][0] == int8_activations.FLOAT and rows[0][-1] == "1.00"
    assert scores[int8_activations.FLOAT] > 60 > scores[int8_activations.KERNELS] > scores["norms in float"]
    assert scores["norms in float, activations of 16 bits"] > scores["norms in float"]


def test_flags_that_cannot_be_used(capsys):
    assert _run("--model=a.keras") == 2
    assert "--calibration_dir" in capsys.readouterr().err
    assert _run("--model=none.keras", "--calibration_dir=x") == 1
    assert "none.keras" in capsys.readouterr().err
