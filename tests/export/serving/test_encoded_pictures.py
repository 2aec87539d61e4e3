"""Pictures shrunk and encoded inside a graph, against Pillow and `cartoonize`."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cartoongan_tf.media import pictures
from cartoongan_tf.media.transparency import with_alpha
from export.serving import encoded_pictures
from tests.export.serving.mutations import encode
from tests.helpers import draw, draw_photo_like


def test_png_has_alpha_only_where_it_is_not_opaque():
    for mode, alpha in (("RGB", np.full((5, 6), 255)), ("RGBA", np.eye(5, 6))):
        pixels = np.dstack([draw(1, 5, 6), alpha]).astype(np.uint8)
        image = Image.open(io.BytesIO(encoded_pictures.encode(tf.constant(pixels), tf.constant("png")).numpy()))
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image)[..., :3], pixels[..., :3])


@pytest.mark.parametrize("size", [(30, 44), (44, 30), (1, 50), (2000, 3)])
def test_pictures_shrink_as_cartoonize_shrinks_them(size):
    photo = draw(4, *size)
    own_size = [tf.constant(side, tf.int64) for side in size]
    for long_side in (0, 1, 7, 30, 44, 500):
        expected = pictures.shrink(photo, long_side) if long_side else photo
        height, width = encoded_pictures.shrunk_size(*own_size, tf.constant(long_side))
        assert (int(height), int(width)) == expected.shape[:2], long_side
        shrunk = encoded_pictures.shrink(tf.constant(photo), height, width)
        message = f"long_side {long_side}"
        np.testing.assert_allclose(shrunk.numpy().astype(int), expected, atol=1, err_msg=message)


@pytest.mark.parametrize("has_adobe_segment", [True, False])
def test_inks_are_read_as_cartoonize_reads_them(has_adobe_segment, read):
    """A CMYK JPEG, with the segment that says that its inks are inverted, and without."""
    content = encode(Image.fromarray(draw_photo_like(0)).convert("CMYK"), "JPEG", quality=95)
    before, adobe, after = content.partition(b"\xff\xee\x00\x0eAdobe")
    assert adobe
    if not has_adobe_segment:
        content = before + after[7:]
    expected = pictures.read_picture(io.BytesIO(content))
    decoded = read(content)[1]
    np.testing.assert_allclose(decoded[..., :3].numpy().astype(int), expected, atol=3)


@pytest.mark.parametrize("num_channels", [1, 2, 3, 4])
def test_sixteen_bits_are_read_as_cartoonize_reads_them(num_channels, read):
    levels = np.random.default_rng(0).integers(0, 65536, (20, 30, num_channels), dtype=np.uint16)
    content = tf.io.encode_png(levels).numpy()
    expected = with_alpha(pictures.read(io.BytesIO(content)).frames[0])
    np.testing.assert_array_equal(read(content)[1], expected)


def test_grey_keeps_its_transparency(read):
    grey = Image.fromarray(np.tile(np.arange(30, dtype=np.uint8), (20, 1)))
    content = encode(grey, "PNG", transparency=7)
    expected = with_alpha(pictures.read(io.BytesIO(content)).frames[0])
    assert (expected[..., 3] == 0).any()
    np.testing.assert_array_equal(read(content)[1], expected)
