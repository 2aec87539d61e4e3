#!/usr/bin/env bash
# Guess: frame.side_data.get("DISPLAYMATRIX") of PyAV gives the frame's display matrix, or None.
# What happens: FFmpeg 8, which PyAV 18.1 brings, attaches the EXIF data of JPEG frames as side data of a type that PyAV does
# not know. Any look at the frame's side data then raises ValueError("31 is not a valid Type"). frame.rotation works.
# For users: films of cameras that record JPEGs (.avi, .mov) cannot be turned upright by their matrix. Spatial films of
# phones, whose frames have other kinds of unknown side data, raise the same error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet av==18.1.0 pillow==12.3.0
cat > look.py <<'PYTHON'
import io
import sys

import av
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6  # turn it clockwise
content = io.BytesIO()
for grey in (0, 100, 200):
    Image.new("L", (64, 48), grey).convert("RGB").save(content, "JPEG", exif=exif)
content.seek(0)
with av.open(content, format="mjpeg") as film:
    frame = next(film.decode(video=0))
    print("rotation", frame.rotation)
    try:
        print("display matrix", frame.side_data.get("DISPLAYMATRIX"))
    except ValueError as error:
        print(f"side_data: ValueError: {error}")
        sys.exit(0)
sys.exit("side data can be looked at now")
PYTHON
venv/bin/python look.py
