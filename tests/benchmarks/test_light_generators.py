import pytest

from benchmarks import light_generators, light_learning
from cartoongan_tf.media import pictures
from tests.helpers import build_records, draw, draw_photo_like


@pytest.mark.slow
def test_the_table_compares_cost_speed_and_what_was_learned(tmp_path):
    for seed in range(4):
        pictures.write_picture(tmp_path / "photos" / f"{seed}.png", draw_photo_like(seed, 72, 84))
        pictures.write_picture(tmp_path / "held" / f"{seed}.png", draw(seed, 60, 84))
    folders = (tmp_path / "photos", tmp_path / "held")
    records = build_records(folders, tmp_path / "records", teacher="abstraction")
    output, names = tmp_path / "table.md", ["U-Net, dilated", "light"]
    flags = [
        f"--data_dirs=abstraction={records}",
        f"--photos_dir={tmp_path / 'held'}",
        "--cpu_secs=1",
        "--crop_size=32",
    ]
    flags += [f"--output_dir={tmp_path / 'light'}", f"--candidates={';'.join(names)}", "--rounds=1", "--size_px=64"]
    assert light_generators.main(["light_generators", *flags, f"--output={output}"]) == 0
    lines = [line for line in output.read_text().splitlines() if line.startswith("| ")]
    rows = {row[0]: row[1:] for row in (line.strip("| ").split(" | ") for line in lines[2:])}
    assert list(rows) == ["paper", *names]
    assert rows["paper"][:2] == ["11,129,667", "54.38"] and rows["paper"][3:4] == ["1.0"]
    assert rows["paper"][5:] == ["-", "-", "-"]
    for name in names:
        parameters, giga, _, faster, _, steps, psnr, ssim = rows[name]
        assert int(parameters.replace(",", "")) < 1e6 and float(giga) < 5.4 and float(faster) > 2
        assert int(steps.replace(",", "")) > 1 and 5 < float(psnr) < 40 and 0 < float(ssim) < 1
    (kept,) = (tmp_path / "light").glob("light-abstraction.json")
    kept.write_text('{"steps": 1, "psnr": 2, "ssim": 3}')
    config = light_learning.LearningConfig(output_dir=str(tmp_path / "light"))
    assert light_learning.learn("light", "abstraction", records, config)["psnr"] == 2, "the same command resumes"
