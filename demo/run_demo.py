"""A photo cartoonized in seconds; then the complete making of a style, in a few minutes.

    python -m demo.run_demo

The demo runs the same commands that you would type. Photos from scikit-image and drawings made on the spot become
training records; a small CartoonGAN is trained on them and exported; and the trained network and both exports
cartoonize a photo that was not used for training. All results are in demo_output/, which each run makes anew.
"""

import http.client
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from skimage import data

from cartoongan_tf.media import pictures
from demo.drawings import draw_scene

OUTPUT = Path("demo_output")
PHOTO = OUTPUT / "photo.jpg"
TRAINING_PHOTOS = ("astronaut", "chelsea", "rocket", "hubble_deep_field")  # public domain or CC0
CROPS_PER_PHOTO = 12
NUM_DRAWINGS = 60
WEIGHTS_HOST = "https://storage.googleapis.com"  # Keras downloads VGG19 from it


def main() -> int:
    start = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    cartoonize_in_the_bundled_style()
    print(f"Look at {OUTPUT}/photo-cartoon.png, {time.monotonic() - start:.0f} s after the start.")
    make_pictures()
    build_records()
    train()
    export()
    cartoonize_with_each_export()
    print_end(time.monotonic() - start)
    return 0


def cartoonize_in_the_bundled_style() -> None:
    print("1. A photo in the bundled style")
    pictures.write_picture(PHOTO, data.coffee())
    run("cartoongan_tf.cartoonize", str(PHOTO), f"--output={OUTPUT}/photo-cartoon.png")


def make_pictures() -> None:
    print("\n2. A style of your own begins with pictures: crops of scikit-image's photos, and drawings")
    make_photos(OUTPUT / "photos")
    make_drawings(OUTPUT / "drawings")


def make_photos(folder: Path) -> None:
    """Write square crops of many sizes from the training photos."""
    rng = np.random.default_rng(0)
    for name in TRAINING_PHOTOS:
        photo = getattr(data, name)()
        height, width = photo.shape[:2]
        for index in range(CROPS_PER_PHOTO):
            side = int(min(height, width) * rng.uniform(0.4, 1.0))
            top = rng.integers(height - side + 1)
            left = rng.integers(width - side + 1)
            pictures.write_picture(folder / f"{name}-{index:02}.jpg", photo[top : top + side, left : left + side])


def make_drawings(folder: Path) -> None:
    """Write drawings of scenes."""
    for index in range(NUM_DRAWINGS):
        pictures.write_picture(folder / f"scene-{index:02}.png", draw_scene(index))


def build_records() -> None:
    print("\n3. Training records")
    folders = [f"--photos_dir={OUTPUT}/photos", f"--cartoons_dir={OUTPUT}/drawings", f"--output_dir={OUTPUT}/data"]
    run("data_pipeline.build_tfrecords", *folders, "--image_size=96", "--teacher=abstraction")
    run("data_pipeline.inspect_records", f"--data_dir={OUTPUT}/data")


def train() -> None:
    print("\n4. Training: first learn a classical cartoon of each photo, then train against the discriminator")
    run("cartoongan_tf.train", "--flagfile=configs/demo.flags", *vgg19_flags())


def vgg19_flags() -> list[str]:
    """Return flags for the best VGG19 weights available."""
    if assets := os.environ.get("CARTOONGAN_ASSETS"):
        return [f"--vgg19_weights={assets}/vgg19/vgg19_notop.h5"]
    keras_home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    if any((keras_home / "models").glob("vgg19*notop.h5")) or is_reachable(WEIGHTS_HOST):
        return ["--vgg19_weights=imagenet"]
    print("No network connection: random VGG19 features stand in for the ImageNet ones.")
    return ["--vgg19_weights=random", "--content_weight=5e-3"]  # random features are smaller


def is_reachable(url: str) -> bool:
    """Return whether a server answers, even if with an error."""
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return True


def export() -> None:
    print("\n5. Export for servers and phones, and the bundled style for browsers")
    model = f"--model={OUTPUT}/run/generator.keras"
    run("export.export_model", model, "--name=demo", f"--output_dir={OUTPUT}/exported")
    run("export.export_model", "--formats=web", f"--output_dir={OUTPUT}/page")


def cartoonize_with_each_export() -> None:
    print("\n6. The photo, cartoonized by the trained network and by each export")
    models = {
        "keras": "run/generator.keras",
        "saved_model": "exported/serving/demo/1",
        "tflite": "exported/tflite/demo-fp16.tflite",
    }
    tiles = [pictures.read_picture(PHOTO)]
    for name, model in models.items():
        cartoon = OUTPUT / f"photo-{name}.png"
        run("cartoongan_tf.cartoonize", f"--model={OUTPUT}/{model}", str(PHOTO), f"--output={cartoon}")
        tiles.append(pictures.read_picture(cartoon))
    rows = [np.hstack(tiles[:2]), np.hstack(tiles[2:])]
    pictures.write_picture(OUTPUT / "before-after.png", np.vstack(rows))


def run(module: str, *arguments: str) -> None:
    """Print a command and run it; if it fails, end the demo with its status."""
    print(f"$ python -m {module} {shlex.join(arguments)}", flush=True)
    status = subprocess.run([sys.executable, "-m", module, *arguments]).returncode
    if status:
        sys.exit(status)


def print_end(seconds: float) -> None:
    print(f"""
Done in {seconds / 60:.1f} minutes. Look at
  {OUTPUT}/photo-cartoon.png        a photo in the bundled style
  {OUTPUT}/before-after.png         the photo, and its cartoons by the generator, the SavedModel and the TFLite file
  {OUTPUT}/data/contact-sheet.jpg   the training data: photos, drawings and their edges
  {OUTPUT}/run/samples/             cartoons of training photos in the course of training
  {OUTPUT}/run/generator.keras      the trained network
  {OUTPUT}/exported/serving/demo/   for TensorFlow Serving
  {OUTPUT}/exported/tflite/         for phones
  {OUTPUT}/page/web/                a page that draws in the bundled style, for any host
  {OUTPUT}/exported/report.md       how closely each export agrees with the trained network
Expect a rough result from this style: it is a small network, trained for a few minutes on few pictures.

Next, cartoonize a photo of your own:
  . .venv/bin/activate
  cartoonize YOUR-PHOTO.jpg
or train a style of your own: put photos in photos/ and frames of a film in frames/, and follow
docs/train_your_style.md. To draw in a browser:
  python -m export.serve_web {OUTPUT}/page/web""")


if __name__ == "__main__":
    sys.exit(main())
