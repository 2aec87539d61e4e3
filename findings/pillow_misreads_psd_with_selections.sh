#!/usr/bin/env bash
# Guess: Pillow reads the merged picture that Photoshop keeps in every PSD, whatever else the file holds.
# What happens: where a selection or a spot colour is saved beside red, green, blue and transparency, Pillow looks for the
# pixels in the wrong place, and returns shifted stripes without an error: it skips a table of row lengths that has a part
# for each channel of the file as if it had parts for the colours alone. With one selection it takes that for
# transparency. Black-and-white documents come out as negatives.
# For users: PSDs in a folder of pictures are silently spoilt. Add 2 * height * (channels of the file - number of tiles)
# to the offset of each tile, and read bitmaps with the raw mode "1;I".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > read.py <<'PYTHON'
import io
import struct

import numpy as np
import PIL
from PIL import Image

HEIGHT, WIDTH = 24, 32


def psd_of(planes, mode, depth=8):
    """Return a PSD without layers whose merged picture is packed, as Photoshop writes it."""
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(planes), HEIGHT, WIDTH, depth, mode)
    rows = [bytes([len(row) - 1, *row]) for plane in planes for row in plane]
    lengths = struct.pack(f">{len(rows)}H", *map(len, rows))
    return header + bytes(12) + struct.pack(">H", 1) + lengths + b"".join(rows)


def is_right(content, expected):
    picture = Image.open(io.BytesIO(content))
    return bool((np.asarray(picture.convert(expected[0])) == expected[1]).all()) and picture.mode != "RGBA"


y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
photo = np.stack([8 * x, 10 * y, 4 * (x + y)], -1).astype(np.uint8)
colors, selection = list(photo.transpose(2, 0, 1)), np.full((HEIGHT, WIDTH), 7, np.uint8)
black = (x + y) % 8 < 3
right = [is_right(psd_of(colors + [selection] * number, 3), ("RGB", photo)) for number in range(4)]
bitmap = is_right(psd_of([np.packbits(black, axis=1)], 0, 1), ("L", np.where(black, 0, 255)))
print(f"Pillow {PIL.__version__}: right with 0, 1, 2, 3 selections: {right}; a bitmap: {bitmap}")
raise SystemExit(0 if right == [True, False, False, False] and not bitmap else "This has changed")
PYTHON
for version in 12.3.0 13.0.0; do
  python3 -m venv "venv-$version"
  "venv-$version/bin/pip" install --quiet "pillow==$version" numpy==2.4.6
  "venv-$version/bin/python" read.py
done
# Output seen:
# Pillow 12.3.0: right with 0, 1, 2, 3 selections: [True, False, False, False]; a bitmap: False
# Pillow 13.0.0: right with 0, 1, 2, 3 selections: [True, False, False, False]; a bitmap: False
