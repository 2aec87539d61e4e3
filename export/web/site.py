"""The files of the page: what `npm run build` made of page/, and what an export adds for its styles."""

import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from cartoongan_tf.inference.cartoonizer import Cartoonizer
from cartoongan_tf.inference.tflite_facts import TFLiteFacts
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime
from cartoongan_tf.media import pictures
from export import templates, tflite_file

BUILT = Path(__file__).with_name("page") / "built"
SERVICE_WORKER = "service_worker.js"
COMPRESSED = ".gz"  # the suffix of compressed copies, which servers such as nginx send by themselves
EXAMPLE = "example.jpg"
_CHECK = ("check.html", "check.js")  # the page of `browser`, which no visitor needs
_ICON_SIZES_PX = (192, 512)
_README = Path(__file__).with_name("readme.md")
_LICENSES = Path(__file__).with_name("licenses.txt")


class PageStyle(NamedTuple):
    """A style of the page.

    Attributes:
      name: its name, of letters, digits, - and _.
      description: one line about it.
      license: licence of its weights, with the required attribution.
      drawing_size: longer side, in pixels, at which larger photos are drawn; 0: as large as memory allows.
      tflite: content of its .tflite file, which takes pictures of any size.
    """

    name: str
    description: str
    license: str
    drawing_size: int
    tflite: bytes

    @property
    def path(self) -> str:
        return f"styles/{self.name}.tflite"

    def load(self) -> Cartoonizer:
        """Load the style in the runtime that phones use."""
        return Cartoonizer(self._runtime(), drawing_size=self.drawing_size)

    def facts(self) -> dict:
        """Return what the page must know of it."""
        return {
            "name": self.name,
            "description": self.description,
            "file": self.path,
            "sha256": hashlib.sha256(self.tflite).hexdigest(),
            "drawing_size": self.drawing_size,
            "bytes_per_pixel": round(self._runtime().bytes_per_pixel),
            "shape_offsets": tflite_file.shape_offsets(self.tflite),
        }

    def _runtime(self) -> TFLiteRuntime:
        return TFLiteRuntime(TFLiteGenerator(self.tflite, self.path), TFLiteFacts.read(self.tflite))


def make_site(styles: Sequence[PageStyle]) -> dict[str, bytes]:
    """Return the contents of all files by their path in the page's folder; the page begins with the first style."""
    files = {path: content for path, content in built_files().items() if path not in _CHECK}
    files |= {style.path: style.tflite for style in styles}
    files["styles.json"] = json.dumps({"styles": [style.facts() for style in styles]}, indent=1).encode()
    files |= _icons(styles[0], files[EXAMPLE])
    licences = [f"{style.name}: {style.license}" for style in styles]
    files["LICENSES.txt"] = templates.fill(_LICENSES, styles="\n".join(licences)).encode()
    files["README.md"] = templates.fill(_README, styles=", ".join(style.name for style in styles)).encode()
    version = hashlib.sha256(b"".join(hashlib.sha256(files[path]).digest() for path in sorted(files))).hexdigest()
    files[SERVICE_WORKER] = files[SERVICE_WORKER].replace(b'"VERSION"', f'"{version[:16]}"'.encode())
    return files


def check_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a page together with those that check it."""
    return {**files, **{path: (BUILT / path).read_bytes() for path in _CHECK}}


def built_files() -> dict[str, bytes]:
    """Return what `npm run build` made, by path; compressed files also as what they hold."""
    files = {path.relative_to(BUILT).as_posix(): path.read_bytes() for path in BUILT.rglob("*") if path.is_file()}
    compressed = [path for path in files if path.endswith(COMPRESSED)]
    return files | {path.removesuffix(COMPRESSED): gzip.decompress(files[path]) for path in compressed}


def _icons(style: PageStyle, example: bytes) -> dict[str, bytes]:
    """Return the icons of the installed page: the example photo, drawn."""
    cartoon = style.load()(pictures.read_picture(io.BytesIO(example)))
    return {f"icon-{side}.png": _encode_icon(cartoon, side) for side in _ICON_SIZES_PX}


def _encode_icon(cartoon: np.ndarray, side: int) -> bytes:
    file = io.BytesIO()
    resized = cv2.resize(cartoon, (side, side), interpolation=cv2.INTER_AREA)
    Image.fromarray(resized).quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()
