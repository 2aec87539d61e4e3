#!/usr/bin/env bash
# Guess: Pillow's plugin for JPEG XL shows an animation as Pillow does with GIF, WebP, PNG and AVIF: the first frame, and the
# number of frames; or it refuses what it does not support.
# What happens: the picture is the last frame, n_frames is 1 and is_animated is False. No error and no warning says that
# there are other frames, and the first one cannot be had.
# For users: a thumbnail, a label or a drawing is made of another picture than the one that browsers show first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow-jxl-plugin==1.3.8 pillow==12.3.0 imagecodecs==2026.3.6 numpy==2.4.6
cat > read.py <<'PYTHON'
import importlib.metadata
import io

import imagecodecs
import numpy as np
import pillow_jxl  # noqa: F401  (it registers itself)
from PIL import Image

COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
frames = np.empty((3, 32, 40, 3), np.uint8)
for frame, color in zip(frames, COLORS, strict=True):
    frame[:] = color
content = imagecodecs.jpegxl_encode(frames, lossless=True)
by_imagecodecs = imagecodecs.jpegxl_decode(content)
assert by_imagecodecs.shape == frames.shape and (by_imagecodecs == frames).all(), "the file is right"
picture = Image.open(io.BytesIO(content))
shown = picture.convert("RGB").getpixel((5, 5))
print(f"pillow-jxl-plugin {importlib.metadata.version('pillow-jxl-plugin')}: frame {COLORS.index(shown) + 1} of 3; "
      f"n_frames {picture.n_frames}, is_animated {picture.is_animated}")
raise SystemExit(0 if (shown, picture.n_frames) == (COLORS[-1], 1) else "This has changed")
PYTHON
venv/bin/python read.py
# Output seen:
# pillow-jxl-plugin 1.3.8: frame 3 of 3; n_frames 1, is_animated False
