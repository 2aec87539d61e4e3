#!/usr/bin/env bash
# Guess: cv2.cvtColor from RGB to CIELAB computes float32 pictures in float32; its page gives the formula, and rounds 8 bits
# alone.
# What happens: it looks the colours up in a table for 33 levels a channel, in fixed point. A ramp of 4,097 greys comes back
# with 513 brightnesses, dark greys become black, and a and b are wrong by up to half a unit (and more between the table's
# nodes). The linear-light variant (LRGB2LAB) computes in float32.
# For users: a smooth sky that goes through CIELAB and is brightened there gets bands, whatever the precision around it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet opencv-python-headless==5.0.0.93 numpy==2.4.6
cat > lab.py <<'PYTHON'
import cv2
import numpy as np


def to_linear(rgb):
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


greys = np.linspace(0, 1, 4097)
picture = np.repeat(greys[np.newaxis, :, np.newaxis], 3, axis=-1)
luminance = to_linear(greys)
expected = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
brightness = {
    "RGB2LAB": cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2LAB)[0, :, 0],
    "LRGB2LAB": cv2.cvtColor(to_linear(picture).astype(np.float32), cv2.COLOR_LRGB2LAB)[0, :, 0],
}
print("OpenCV", cv2.__version__)
for name, found in brightness.items():
    error = np.abs(found - expected).max()
    print(f"{name}: {len(np.unique(found))} levels of 4097, error of L at most {error:.3f}")
coarse, fine = (len(np.unique(found)) for found in brightness.values())
raise SystemExit(0 if coarse < 600 and fine > 4000 else "This has changed.")
PYTHON
# Seen: RGB2LAB: 513 levels of 4097, error of L at most 0.219; LRGB2LAB: 4097 levels of 4097, error of L at most 0.004
venv/bin/python lab.py
