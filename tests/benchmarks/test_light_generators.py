import json

import pytest

from benchmarks import light_generators
from tests.helpers import draw


@pytest.mark.slow
def test_the_table_compares_cost_speed_and_pictures(data_dir, tmp_path):
    from cartoongan_tf.media import pictures

    for seed in range(3):
        pictures.write_picture(tmp_path / "photos" / f"{seed}.png", draw(seed, 110, 120))
        pictures.write_picture(tmp_path / "frames" / f"{seed}.png", draw(50 + seed, 110, 120))
    output, names = tmp_path / "table.md", ["narrow", "inverted, doubled, photo beside"]
    flags = [f"--data_dir={data_dir}", f"--photos_dir={tmp_path / 'photos'}", f"--cartoons_dir={tmp_path / 'frames'}"]
    flags += [f"--output_dir={tmp_path / 'light'}", f"--candidates={';'.join(names)}", "--vgg19_weights=random"]
    flags += ["--crop_size=32", "--initialization_epochs=1", "--adversarial_epochs=1", "--num_crops=10", "--rounds=2"]
    assert light_generators.main(["light_generators", *flags, "--size_px=64", f"--output={output}"]) == 0
    lines = [line for line in output.read_text().splitlines() if line.startswith("| ")]
    rows = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in lines[2:])}
    assert list(rows) == ["paper", *names]
    assert rows["paper"][:2] == ["11,129,667", "54.38"] and rows["paper"][4:] == ["1.0", "-", "-", "-", "-"]
    for name in names:
        parameters, giga, megabytes, _, faster, *measured = rows[name]
        assert int(parameters.replace(",", "")) < 1e6 and float(giga) < 5.4 and float(megabytes) < 2.2
        assert float(faster) > 2 and all(float(value) < 1e6 for value in measured)
    evaluation = json.loads((tmp_path / "light" / "evaluation" / "evaluation.json").read_text())
    assert {"narrow", "inverted-doubled-photo_beside"} < {row["name"] for row in evaluation["rows"]}
