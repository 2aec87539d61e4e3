"""Draw the pictures of the documentation: freely licensed photos, each beside what models make of it.

    pip install scikit-image scikit-learn
    python docs/pictures/draw.py before-after.jpg pepper
    python docs/pictures/draw.py --photos=astronaut,cat steps.jpg step-1152.keras step-6912.keras pepper

The first name is that of the file, in this script's folder; the others are models, as `cartoonize --model` takes them.
With one model, two photos stand side by side; with more, each photo has a row.
"""

import argparse
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from cartoongan_tf import Cartoonizer
from cartoongan_tf.media import pictures

FOLDER = Path(__file__).parent
HEIGHT_PX = 260
WIDTH_PX = 480
QUALITY = 85


def _sample_photo(name: str) -> np.ndarray:
    """Read a photo that comes with scikit-learn, without importing scikit-learn."""
    (package,) = importlib.util.find_spec("sklearn").submodule_search_locations
    return pictures.read_picture(Path(package, "datasets", "images", name))


PHOTOS: dict[str, Callable[[], np.ndarray]] = {
    "tower": lambda: _sample_photo("china.jpg")[27:370, :634],
    "cat": lambda: skimage.data.chelsea()[20:264],
    "astronaut": lambda: skimage.data.astronaut()[:277],
    "coffee": lambda: skimage.data.coffee()[40:365],
    "flower": lambda: _sample_photo("flower.jpg")[82:392, 62:634],
    "rocket": lambda: skimage.data.rocket()[80:],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", default=",".join(PHOTOS), help="names of photos, separated by commas")
    parser.add_argument("file")
    parser.add_argument("models", nargs="+")
    arguments = parser.parse_args()
    cartoonizers = [Cartoonizer.load(model) for model in arguments.models]
    strips = list(_strips(arguments.photos.split(","), cartoonizers))
    if len(cartoonizers) == 1:
        strips = [np.hstack(strips[start : start + 2]) for start in range(0, len(strips), 2)]
    sheet = pictures.Picture([np.vstack(strips)])
    suffix = Path(arguments.file).suffix
    (FOLDER / arguments.file).write_bytes(pictures.encode(sheet, suffix, QUALITY))


def _strips(names: list[str], cartoonizers: list[Cartoonizer]) -> Iterator[np.ndarray]:
    """Yield each photo with its cartoons to its right."""
    for name in names:
        photo = cv2.resize(PHOTOS[name](), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
        yield np.hstack([photo, *(cartoonizer(photo) for cartoonizer in cartoonizers)])


if __name__ == "__main__":
    main()
