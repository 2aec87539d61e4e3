import numpy as np
import pytest

from benchmarks import discriminators as benchmark


@pytest.mark.parametrize(
    "differences, expected",
    [
        ([0.0] * 100, None),
        ([0.3] * 100, (10, 1.0)),
        ([0.0] * 50 + [1.0] * 50, (53, 1.0)),  # three of ten steps are above two of ten
        ([0.0] * 50 + [1.0] * 20 + [0.0] * 30, (53, 25 / 48)),
        ([1.0] * 20 + [0.0] * 20 + [1.0] * 60, (10, 76 / 91)),
    ],
)
def test_pictures_are_apart_while_the_mean_of_ten_steps_says_so(differences, expected):
    assert benchmark.parting(np.array(differences)) == (expected and pytest.approx(expected))


def test_flags_that_cannot_be_used(capsys):
    assert benchmark.main(["x", "--data_dir=none", "--candidates=patch;pixels"]) == 2
    assert "--candidates=patch;pixels" in capsys.readouterr().err


@pytest.mark.slow
def test_all_candidates_train_for_the_same_time(data_dir, tmp_path):
    output = tmp_path / "table.md"
    sizes = ["--generator_width=4", "--generator_num_blocks=1", "--discriminator_width=4", "--crop_size=32"]
    flags = [f"--data_dir={data_dir}", "--vgg19_weights=random", "--minutes=0.05", "--initialization_steps=2"]
    candidates = "--candidates=patch;features, all"
    assert benchmark.main(["x", *flags, *sizes, candidates, f"--output={output}"]) == 0
    rows = [line.split("|")[1:-1] for line in output.read_text().splitlines() if line.startswith("| ")]
    cells = {name.strip(): [cell.strip() for cell in others] for name, *others in rows}
    for name in ("patch", "features, all"):
        num_steps, step_secs, *_, generated_gap, _, _, smoothed_gap = cells[name]
        secs = int(num_steps.replace(",", "")) * float(step_secs)
        assert 1.5 < secs < 15, name
        assert np.isfinite([float(generated_gap), float(smoothed_gap)]).all(), name
