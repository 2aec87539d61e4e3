"""The wheel, installed and used where nothing else of the project is; and the demo."""

import os
import shutil
import subprocess
import sys

import pytest

from cartoongan_tf import pictures
from tests.films import make_film
from tests.helpers import REPOSITORY, TINY_NETWORKS, draw


@pytest.mark.slow
def test_the_wheel_does_the_whole_job_in_an_empty_folder(picture_folders, tmp_path):
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in tracked.stdout.splitlines():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / "source" / name)
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir=.", "./source"], cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", f"--target={tmp_path}/site", str(wheel)], check=True)

    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "PYTHONSAFEPATH": "1"}

    def run(*command):
        result = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        return result.stdout

    location = run(sys.executable, "-c", "import cartoongan_tf, export, data_pipeline; print(cartoongan_tf.__file__)")
    assert location.startswith(str(tmp_path / "site"))
    photos, frames = picture_folders
    scripts = tmp_path / "site" / "bin"
    run(scripts / "cartoongan-build-tfrecords", f"--photos_dir={photos}", f"--cartoons_dir={frames}",
        "--output_dir=data", "--image_size=32")  # fmt: skip
    flags = [
        "--batch_size=4",
        "--initialization_epochs=1",
        "--adversarial_epochs=1",
        "--vgg19_weights=random",
    ]
    run(scripts / "cartoongan-train", "--data_dir=data", "--run_dir=run", *TINY_NETWORKS, *flags)
    run(scripts / "cartoongan-export", "--model=run/generator.keras", "--name=tiny", "--output_dir=exported")
    assert (empty / "exported" / "tflite" / "tiny-int8.tflite").exists()
    assert "int8" in (empty / "exported" / "report.md").read_text()
    for script in scripts.iterdir():
        if script.name.startswith("cartoon"):
            assert "Flags:" in run(script, "--help")
    pictures.write_picture(empty / "photo.jpg", draw(0))
    run(scripts / "cartoonize", "--model=exported/tflite/tiny-fp16.tflite", "photo.jpg")
    assert pictures.read_picture(empty / "photo-cartoon.jpg").shape == (60, 80, 3)
    styles = sorted(path.parent.name for path in (REPOSITORY / "cartoongan_tf" / "styles").glob("*/generator.keras"))
    assert [line.split()[0] for line in run(scripts / "cartoonize", "--list_styles").splitlines()] == styles
    run(scripts / "cartoonize", "photo.jpg", "--output=pepper.png")
    assert pictures.read_picture(empty / "pepper.png").shape == (60, 80, 3)
    told = run(scripts / "cartoongan-evaluate", "--model=run/generator.keras", f"--photos_dir={photos}",
               f"--cartoons_dir={frames}", "--output_dir=evaluation", "--vgg19_weights=random", "--crop_px=32",
               "--num_crops=10", "--num_resamplings=2")  # fmt: skip
    assert "KID to cartoons" in told and (empty / "evaluation" / "sheet.jpg").exists()
    make_film(empty / "clip.mp4")
    run(scripts / "cartoongan-extract-frames", "--video=clip.mp4", "--output_dir=taken")
    assert list((empty / "taken").iterdir())


@pytest.mark.slow
def test_the_demo_makes_all_that_it_says_without_a_network(tmp_path):
    """In a folder of its own, with a proxy that refuses all connections."""
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "KERAS_HOME": str(tmp_path / "keras")}
    environment |= {"https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    environment.pop("CARTOONGAN_ASSETS", None)
    command = [sys.executable, "-m", "demo.run_demo"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1200)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout.count("random VGG19 features stand in") == 1
    photo = pictures.read_picture(tmp_path / "demo_output" / "photo.jpg")
    before_after = pictures.read_picture(tmp_path / "demo_output" / "before-after.png")
    assert before_after.shape == (2 * photo.shape[0], 2 * photo.shape[1], 3)
    assert pictures.read_picture(tmp_path / "demo_output" / "photo-pepper.png").shape == photo.shape
    assert result.stdout.index("Look at demo_output/photo-pepper.png") < result.stdout.index("cartoongan_tf.train")
    assert "Next," in result.stdout
    named = [word for word in result.stdout.partition("Done in")[2].split() if word.startswith("demo_output/")]
    assert len(named) >= 5
    for path in named:
        assert (tmp_path / path).exists(), path
    print(result.stdout)
