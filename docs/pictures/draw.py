"""Draw the pictures of the documentation: photos that come with scikit-image, each beside what models make of it.

    python docs/pictures/draw.py before-after.jpg pepper
    python docs/pictures/draw.py steps.jpg step-1152.keras step-6912.keras pepper step-15288.keras

The first name is the file's, beside this one; the others are models, as `cartoonize --model` takes them.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from cartoongan_tf import Cartoonizer
from cartoongan_tf.media import pictures

_HEIGHT, _WIDTH = 260, 480


def main(name: str, *models: str) -> None:
    photos = [_fitted(data.astronaut()[:277]), _fitted(data.chelsea()[20:264])]
    drawn = [[Cartoonizer.load(model)(photo) for photo in photos] for model in models]
    rows = [np.hstack(row) for row in zip(photos, *drawn, strict=True)]
    pictures.write_picture(Path(__file__).parent / name, np.vstack(rows))


def _fitted(photo: np.ndarray) -> np.ndarray:
    return cv2.resize(photo, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main(*sys.argv[1:])
