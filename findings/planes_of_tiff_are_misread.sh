#!/usr/bin/env bash
# Guess: a TIFF that keeps red, green and blue in planes of their own (PlanarConfiguration 2), as scientific cameras and
# tifffile write it, is read by Pillow and OpenCV like any other, or refused.
# What happens: with 16 bits a colour, Pillow reads it rightly if it is compressed, and as noise if it is not. OpenCV is
# right with 8 bits, and wrong with 16 bits and with floating point, compressed or not. Neither raises an error.
# For users: pictures of 16 bits from a microscope or a scanner become noise in a data set. Compare one picture of each kind
# with tifffile. OpenCV's source has been right since July 2026; 5.0.0.93 is older.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 tifffile==2026.3.3 opencv-python-headless==5.0.0.93 pillow==13.0.0
cat > read.py <<'PYTHON'
import cv2
import numpy as np
import PIL
import tifffile
from PIL import Image

y, x = np.mgrid[0:64, 0:80]
photo = np.stack([x / 80, y / 64, (x + y) / 160], -1)
MOST = {np.uint8: 255, np.uint16: 65535, np.float32: 1}
print("Pillow", PIL.__version__, "OpenCV", cv2.__version__)
found = {}
for dtype, most in MOST.items():
    for compression in (None, "zlib"):
        values = (photo * most).astype(dtype)
        tifffile.imwrite("a.tif", np.ascontiguousarray(values.transpose(2, 0, 1)), photometric="rgb",
                         planarconfig="separate", compression=compression)
        by_opencv = cv2.imread("a.tif", cv2.IMREAD_UNCHANGED)[..., ::-1]
        right = [by_opencv.dtype == dtype and bool((by_opencv == values).all())]
        if dtype != np.float32:  # Pillow refuses RGB in floating point
            levels = np.asarray(Image.open("a.tif").convert("RGB"))
            right.append(bool(np.abs(levels - photo * 255.0).max() <= 1))
        found[np.dtype(dtype).name, compression] = right
        print(f"{np.dtype(dtype).name}, compression {compression}: OpenCV, Pillow right: {right}")
expected = {
    ("uint8", None): [True, True],
    ("uint8", "zlib"): [True, True],
    ("uint16", None): [False, False],
    ("uint16", "zlib"): [False, True],
    ("float32", None): [False],
    ("float32", "zlib"): [False],
}
raise SystemExit(0 if found == expected else "This has changed")
PYTHON
venv/bin/python read.py
# Output seen:
# Pillow 13.0.0 OpenCV 5.0.0
# uint8, compression None: OpenCV, Pillow right: [True, True]
# uint8, compression zlib: OpenCV, Pillow right: [True, True]
# uint16, compression None: OpenCV, Pillow right: [False, False]
# uint16, compression zlib: OpenCV, Pillow right: [False, True]
# float32, compression None: OpenCV, Pillow right: [False]
# float32, compression zlib: OpenCV, Pillow right: [False]
