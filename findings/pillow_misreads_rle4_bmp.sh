#!/usr/bin/env bash
# Guess: a BMP of 16 colours in run lengths (RLE4), as Windows programs wrote them for decades, is read as it is.
# What happens: after a run of single colours ("absolute mode") whose number is odd, Pillow goes on at the wrong place. The
# picture comes out as noise, without an error. OpenCV reads the same bytes rightly, and so does Pillow if the number is even.
# For users: old drawings and icons in a folder are silently spoilt. Pillow's source has been right since June 2026, 12.3.0 is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==12.3.0 opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > read.py <<'PYTHON'
import io
import struct
import sys

import cv2
import numpy as np
from PIL import Image


def bmp_of(numbers, palette):
    height, width = numbers.shape
    runs = b""
    for row in numbers[::-1]:
        padded = np.append(row, np.zeros(-width % 4, int))
        runs += bytes([0, width, *(padded[::2] << 4 | padded[1::2]), 0, 0])
    runs += b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 4, 2, len(runs), 0, 0, 16, 0) + palette.tobytes()
    start = 14 + len(header)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + header + runs


steps = np.arange(16, dtype=np.uint8)
palette = np.stack([16 * steps, 255 - 16 * steps, 7 * steps, 0 * steps], 1)
right = {}
for width in (6, 7, 8, 9):
    numbers = np.random.default_rng(0).integers(0, 16, (4, width))
    content = bmp_of(numbers, palette)
    expected = palette[numbers][..., 2::-1]
    by_pillow = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    by_opencv = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    right[width] = np.array_equal(by_pillow, expected), np.array_equal(by_opencv, expected)
    print(f"runs of {width}: right by Pillow {right[width][0]}, by OpenCV {right[width][1]}")
sys.exit(0 if right == {6: (True, True), 7: (False, True), 8: (True, True), 9: (False, True)} else "that has changed")
PYTHON
venv/bin/python read.py
