"""Pictures of any size and mode, in every format that holds them, are read as Pillow's own pixels and come back."""

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cartoongan_tf.media import pictures

FORMATS = {  # modes that each format stores without loss
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("1", "L", "P"),
    "TGA": ("L", "LA", "RGB", "RGBA"),
    "PPM": ("1", "L", "RGB"),
}
CASES = [(format, mode) for format, modes in FORMATS.items() for mode in modes]


def _image(mode: str, width: int, height: int, seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 2**16, (height, width), np.uint16))
    rgba = Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8))
    return rgba.convert(mode) if mode in ("LA", "RGBA") else rgba.convert("RGB").convert(mode)


def _expected(image: Image.Image) -> np.ndarray:
    """The pixels by Pillow: 16 bits become 8, and colours that cannot be seen are white."""
    if image.mode == "I;16":
        grey = np.round(np.asarray(image) / 257).astype(np.uint8)
        return np.dstack([grey] * 3)
    if image.mode in ("LA", "RGBA"):
        rgba = np.array(image.convert("RGBA"))
        rgba[rgba[..., 3] == 0] = (255, 255, 255, 0)
        return rgba
    return np.asarray(image.convert("RGB"))


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(case=st.sampled_from(CASES), width=st.integers(1, 70), height=st.integers(1, 70), seed=st.integers(0, 999))
def test_any_picture(case, width, height, seed):
    format, mode = case
    image = _image(mode, width, height, seed)
    file = io.BytesIO()
    image.save(file, format, **{"lossless": True} if format == "WEBP" else {})
    picture = pictures.read(file, name="a picture")
    expected = _expected(image)
    (frame,) = picture.frames
    assert frame.dtype == np.uint8
    if frame.shape[2] == 4 and expected.shape[2] == 3:  # a format that always has alpha
        np.testing.assert_array_equal(frame[..., 3], 255)
        frame = frame[..., :3]
    np.testing.assert_array_equal(frame, expected)
    for suffix in (".png", ".webp", ".tif"):
        again = pictures.read(io.BytesIO(pictures.encode(picture, suffix)), name=suffix)
        assert again.suffix == suffix or suffix == ".tif"
        if suffix != ".webp" or picture.is_lossless:
            np.testing.assert_array_equal(pictures.over_white(again.frames[0]), pictures.over_white(frame))
