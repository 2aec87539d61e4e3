#!/usr/bin/env bash
# Guess: a photo with EXIF orientation 6 (a phone held upright) that is opened and saved as .heic is shown as before.
# What happens: the orientation stays in the EXIF block, which readers of HEIF must ignore in favour of the file's own
# property for rotation, and pillow-heif writes no such property. The picture comes back lying on its side, and pillow-heif
# itself reports that it is upright. With .jpg and .png, the same lines keep the orientation.
# For users: turn the pixels first (PIL.ImageOps.exif_transpose).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow-heif==1.8.1 pillow==12.3.0 numpy==2.4.6
cat > save.py <<'PYTHON'
import sys

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
pixels = np.zeros((64, 96, 3), np.uint8)
pixels[:32, :48] = 255  # white in the upper left corner, which orientation 6 shows in the upper right one
exif = Image.Exif()
exif[0x0112] = 6
shown = {}
for name in ("photo.jpg", "photo.heic"):
    Image.fromarray(pixels).save(name, exif=exif)
    with Image.open(name) as image:
        upright = ImageOps.exif_transpose(image)
        corners = np.asarray(upright.convert("L").resize((2, 2), Image.Resampling.BOX)) > 128
        shown[name] = upright.size, "upper right" if corners[0, 1] else "upper left"
        print(f"{name}: shown as {upright.width} x {upright.height}, white {shown[name][1]}")
assert shown["photo.jpg"] == ((64, 96), "upper right")
print("rotation property in the file:", b"irot" in open("photo.heic", "rb").read())
sys.exit(0 if shown["photo.heic"] == ((96, 64), "upper left") else "the orientation is kept now")
PYTHON
venv/bin/python save.py
