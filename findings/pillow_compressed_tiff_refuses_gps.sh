#!/usr/bin/env bash
# Guess: Image.save writes the EXIF data that it is given into every format that holds EXIF data, TIFF first of all.
# What happens: with a GPS position in it, a compressed TIFF raises RuntimeError("Error setting from dictionary"), which says
# nothing of EXIF. The same data are written into an uncompressed TIFF, a JPEG, a PNG and a WebP file.
# For users: photos of phones, which have positions, cannot be converted to small TIFFs with their metadata.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==12.3.0
cat > save.py <<'PYTHON'
import sys

from PIL import Image

exif = Image.Exif()
exif.get_ifd(0x8825)[1] = "N"
exif.get_ifd(0x8825)[2] = (48.0, 8.0, 14.0)
cases = [(f"a.{suffix}", {}) for suffix in ("jpg", "png", "webp", "tif")]
cases.append(("b.tif", {"compression": "tiff_adobe_deflate"}))
outcomes = []
for name, options in cases:
    try:
        Image.new("RGB", (8, 8)).save(name, exif=exif.tobytes(), **options)
        outcomes.append("written" if Image.open(name).getexif().get_ifd(0x8825) else "lost")
    except RuntimeError as error:
        outcomes.append(f"RuntimeError: {error}")
    print(name, *options.values(), outcomes[-1])
expected = ["written"] * 4 + ["RuntimeError: Error setting from dictionary"]
sys.exit(0 if outcomes == expected else "that has changed")
PYTHON
venv/bin/python save.py
