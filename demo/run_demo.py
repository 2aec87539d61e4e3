"""A photo in the style that comes with this, in seconds; then the whole job of making one, in a few minutes.

    python -m demo.run_demo

All with the commands that you would type. Photos that come with scikit-image and drawings made on the spot become
training records; a small CartoonGAN is trained on them and exported; each form of it draws a photo that it was not
trained on. All results are in demo_output/, which each run makes anew.
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
TRAINING_PHOTOS = ("astronaut", "chelsea", "rocket", "hubble_deep_field")  # public domain or CC0
CROPS_PER_PHOTO = 12
NUM_DRAWINGS = 60
WEIGHTS_HOST = "https://storage.googleapis.com"  # where Keras fetches VGG19 from


def main() -> int:
    start = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    print("1. A photo, drawn in the style that comes with this")
    photo = OUTPUT / "photo.jpg"
    pictures.write_picture(photo, data.coffee())
    run("cartoongan_tf.cartoonize", str(photo), f"--output={OUTPUT}/photo-pepper.png")
    print(f"Look at {OUTPUT}/photo-pepper.png, {time.monotonic() - start:.0f} s after the start.")

    print("\n2. A style of one's own begins with pictures: photos of scikit-image, cut up, and drawings")
    make_photos(OUTPUT / "photos")
    make_drawings(OUTPUT / "drawings")

    print("\n3. Training records")
    folders = [
        f"--photos_dir={OUTPUT}/photos",
        f"--cartoons_dir={OUTPUT}/drawings",
        f"--output_dir={OUTPUT}/data",
    ]
    run("data_pipeline.build_tfrecords", *folders, "--image_size=96")
    run("data_pipeline.inspect_records", f"--data_dir={OUTPUT}/data")

    print("\n4. Training: first reconstruct photos, then against the discriminator")
    run("cartoongan_tf.train", "--flagfile=configs/demo.flags", *vgg19_flags())

    print("\n5. Export for servers and phones")
    run(
        "export.export_model",
        f"--model={OUTPUT}/run/generator.keras",
        "--name=demo",
        f"--output_dir={OUTPUT}/exported",
    )

    print("\n6. The photo, drawn with each")
    cartoons = {form: OUTPUT / f"photo-{form}.png" for form in ("keras", "saved_model", "tflite")}
    models = ("run/generator.keras", "exported/serving/demo/1", "exported/tflite/demo-fp16.tflite")
    for model, cartoon in zip(models, cartoons.values(), strict=True):
        run("cartoongan_tf.cartoonize", f"--model={OUTPUT}/{model}", str(photo), f"--output={cartoon}")
    drawn = [pictures.read_picture(path) for path in (photo, *cartoons.values())]
    pictures.write_picture(OUTPUT / "before-after.png", np.vstack([np.hstack(drawn[:2]), np.hstack(drawn[2:])]))

    print_end(time.monotonic() - start)
    return 0


def make_photos(folder: Path) -> None:
    """Cut square crops of many sizes out of the training photos."""
    rng = np.random.default_rng(0)
    for name in TRAINING_PHOTOS:
        photo = getattr(data, name)()
        for index in range(CROPS_PER_PHOTO):
            side = int(min(photo.shape[:2]) * rng.uniform(0.4, 1.0))
            top, left = (rng.integers(size - side + 1) for size in photo.shape[:2])
            pictures.write_picture(folder / f"{name}-{index:02}.jpg", photo[top : top + side, left : left + side])


def make_drawings(folder: Path) -> None:
    for index in range(NUM_DRAWINGS):
        pictures.write_picture(folder / f"scene-{index:02}.png", draw_scene(index))


def vgg19_flags() -> list[str]:
    """Flags for the best VGG19 that can be had here."""
    if assets := os.environ.get("CARTOONGAN_ASSETS"):
        return [f"--vgg19_weights={assets}/vgg19/vgg19_notop.h5"]
    keras_home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    if any((keras_home / "models").glob("vgg19*notop.h5")) or is_reachable(WEIGHTS_HOST):
        return ["--vgg19_weights=imagenet"]
    print("No network connection: random VGG19 features stand in for the ImageNet ones.")
    return ["--vgg19_weights=random", "--content_weight=5e-3"]  # random features are smaller


def is_reachable(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except urllib.error.HTTPError:
        return True  # it answered
    except (OSError, http.client.HTTPException):
        return False
    return True


def run(module: str, *arguments: str) -> None:
    """Show a command and run it; if it fails, end the demo with its status."""
    print(f"$ python -m {module} {shlex.join(arguments)}", flush=True)
    status = subprocess.run([sys.executable, "-m", module, *arguments]).returncode
    if status:
        sys.exit(status)


def print_end(seconds: float) -> None:
    print(f"""
Done in {seconds / 60:.1f} minutes. Look at
  {OUTPUT}/photo-pepper.png         a photo in the style that comes with this
  {OUTPUT}/before-after.png         the same photo, and what the Keras model, the SavedModel and the TFLite file draw
  {OUTPUT}/data/contact-sheet.jpg   what it was trained on: photos, drawings and their edges
  {OUTPUT}/run/samples/             the training photos, as training went on
  {OUTPUT}/run/generator.keras      the trained network
  {OUTPUT}/exported/serving/demo/   for TensorFlow Serving
  {OUTPUT}/exported/tflite/         for phones
  {OUTPUT}/exported/report.md       how near each of them is to the trained network
The one that was trained here is a small network after a few minutes on few pictures: it shows the stages at work.

Next, draw a photo of yours:
  . .venv/bin/activate
  cartoonize YOUR-PHOTO.jpg
or train a style of your own: put photos in photos/ and frames of a film in frames/, and follow
docs/train_your_style.md.""")


if __name__ == "__main__":
    sys.exit(main())
