"""The sizes of pictures that a served model draws, and those that it refuses before it decodes them."""

import io

import numpy as np
import psutil
import pytest
import tensorflow as tf
from PIL import Image

from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from cartoongan_tf.models.picture_sizes import fitting_side
from export.serving import encoded_pictures, picture_headers
from tests.export.conftest import MAX_PIXELS
from tests.export.serving.mutations import encode
from tests.helpers import draw, draw_photo_like


def _drawn(generator, photo):
    return np.asarray(pixels.cartoonize(generator, photo[np.newaxis]))[0]


def _opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def _refusal(session, signature, **inputs):
    """The message with which a request is refused."""
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        session.predict(signature, **inputs)
    return caught.value.message


def test_too_many_pixels_are_refused_where_as_many_as_allowed_are_drawn(session):
    styled = {"strength": [1.0], "long_side": [101]}
    assert session.predict("styled", image_bytes=[encode(draw(0, 100, 100), "PNG")], **styled)
    message = _refusal(session, "styled", image_bytes=[encode(draw(0, 101, 100), "PNG")], **styled)
    assert "100 x 101" in message and f"more than {MAX_PIXELS}," in message and "long_side" in message
    message = _refusal(session, "encoded", image_bytes=[encode(draw(0, 400, 300), "PNG")])
    assert "300 x 400" in message and f"more than {10 * MAX_PIXELS}," in message
    assert session.predict("serving_default", image=np.zeros((4, 48, 52, 3), np.uint8))
    message = _refusal(session, "serving_default", image=np.zeros((5, 48, 52, 3), np.uint8))
    assert "5 pictures of 52 x 48 pixels" in message and f"{MAX_PIXELS} pixels" in message


@pytest.mark.parametrize("size", [(100, 100), (100, 101), (200, 300), (9999, 1), (2, 5000), (640, 12), (53, 187)])
def test_without_a_long_side_a_picture_is_drawn_as_large_as_it_may_be(generator, session, size):
    """This model has no size of its own. With padding, thin pictures count as 8 pixels across."""
    photo = draw(0, *size)
    files = [encode(photo, "PNG")] * 2
    answers = session.predict("styled", image_bytes=files, strength=np.float32([0, 1]), long_side=np.int32([0, 0]))
    smaller, cartoon = map(_opened, answers["cartoon_bytes"])
    np.testing.assert_allclose(smaller.astype(int), pictures.shrink(photo, max(smaller.shape[:2])), atol=1)
    np.testing.assert_allclose(cartoon.astype(int), _drawn(generator, smaller), atol=1)
    padded = [fitting_side(side) for side in cartoon.shape[:2]]
    assert np.prod(padded) <= MAX_PIXELS
    assert cartoon.shape == photo.shape or np.prod([side + 8 for side in padded]) > MAX_PIXELS


def test_padding_counts_as_pixels(session):
    """Thin pictures are padded to 8 pixels across."""
    for shape in ((10_000, 1, 1, 3), (1, 1, 10_000, 3), (1, 5000, 2, 3)):
        assert str(MAX_PIXELS) in _refusal(session, "serving_default", image=np.zeros(shape, np.uint8)), shape
    for shape in ((1, 10_000, 3), (5000, 2, 3)):
        request = {"image_bytes": [encode(np.zeros(shape, np.uint8), "PNG")], "strength": [1.0], "long_side": [10_000]}
        assert f"more than {MAX_PIXELS}," in _refusal(session, "styled", **request), shape


def test_large_pictures_are_refused_by_their_header(session):
    """10,000 x 10,000 pixels in 20 kB: decoded, they would take 400 MB."""
    content = encode(Image.new("1", (10_000, 10_000)), "PNG")
    assert len(content) < 50_000
    process = psutil.Process()
    before = process.memory_info().rss
    assert "10000 x 10000 pixels" in _refusal(session, "encoded", image_bytes=[content])
    assert process.memory_info().rss - before < 100e6


def _drawn_at(session, content, long_side):
    (answer,) = session.predict("styled", image_bytes=[content], strength=[0.0], long_side=[long_side])["cartoon_bytes"]
    return _opened(answer)


@pytest.mark.parametrize("height, width, long_side", [(900, 601, 100), (301, 400, 100), (2101, 1203, 60)])
def test_a_jpeg_of_too_many_pixels_is_decoded_at_a_part_of_its_size(session, height, width, long_side):
    """Draw a file whose header has more pixels than are decoded, at less than half of its size."""
    photo = np.asarray(Image.fromarray(draw_photo_like(1)).resize((width, height), Image.Resampling.BICUBIC))
    content = encode(photo, "JPEG", quality=95)
    assert height * width > 10 * MAX_PIXELS
    expected = pictures.shrink(photo, long_side)
    shrunk = _drawn_at(session, content, long_side).astype(int)
    assert shrunk.shape == expected.shape
    assert np.abs(shrunk - expected).mean() < 1.5


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": True, "optimize": True}])
def test_a_progressive_jpeg_takes_memory_for_its_whole_size(session, options):
    content = encode(draw(1, 400, 301), "JPEG", **options)
    message = _refusal(session, "styled", image_bytes=[content], strength=[1.0], long_side=[50])
    assert "301 x 400" in message and f"more than {10 * MAX_PIXELS}," in message


def _is_streamed(content):
    return bool(picture_headers.read_header(tf.constant(content)).is_streamed)


def test_only_a_jpeg_of_one_plain_scan_is_streamed():
    """Markers without a length, and bytes between segments, could hide what the decoder sees."""
    image = Image.fromarray(draw(1))
    plain = encode(image, "JPEG")
    assert _is_streamed(plain) and _is_streamed(encode(image.convert("L"), "JPEG"))
    assert _is_streamed(encode(image.convert("CMYK"), "JPEG"))
    assert _is_streamed(plain[:2] + b"\xff\xe2\0\x04ab\xff" + plain[2:])  # a fill byte
    frame = plain.index(b"\xff\xc0")
    scan = plain.index(b"\xff\xda")
    one_component = plain[:scan] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + plain[scan + 14 :]
    others = [plain[:frame] + marker + plain[frame:] for marker in (b"\xff\xd0", b"\xff\x01", b"\xff\0", b"ab", b"\0")]
    progressive = encode(image, "JPEG", progressive=True)
    files = [*others, one_component, progressive, plain[:scan], encode(image, "PNG"), encode(image, "BMP"), b""]
    assert [_is_streamed(content) for content in files] == [False] * len(files)


def test_every_ratio_gives_the_size_that_was_computed():
    content = encode(draw(1, 77, 50), "JPEG")
    header = picture_headers.read_header(tf.constant(content))
    for ratio, size in ((1, (77, 50)), (2, (39, 25)), (4, (20, 13)), (8, (10, 7))):
        decoded, problem = encoded_pictures.decode(header, tf.constant(ratio, tf.int64))
        assert decoded.shape == (*size, 4) and not problem.numpy(), ratio
