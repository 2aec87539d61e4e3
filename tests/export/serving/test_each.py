"""The signature `each`: what it draws, and what it says about pictures that it does not draw."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cartoongan_tf.inference.blending import blend_with_photo
from cartoongan_tf.media.transparency import over_white
from tests.export.conftest import MAX_PIXELS
from tests.export.serving.mutations import encode, picture_files
from tests.helpers import draw, draw_photo_like

GOOD = encode(draw(0, 20, 30), "PNG")


def _ask(session, files, strength=1.0, long_side=0, keep_colors=False, format="png"):
    """The cartoons and the statuses; each option is one for all files, or a list with one for each."""
    options = {
        "strength": np.float32(strength),
        "long_side": np.int32(long_side),
        "keep_colors": np.bool_(keep_colors),
        "format": np.array(format, object),
    }
    shape = [len(files)]
    options = {name: np.broadcast_to(values, shape) for name, values in options.items()}
    answer = session.predict("each", image_bytes=np.array(files, object), **options)
    assert sorted(answer) == ["cartoon_bytes", "status"]
    return list(answer["cartoon_bytes"]), [status.decode() for status in answer["status"]]


def _opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_seven_come_back_and_the_eighth_says_why(session):
    files = [content for _, content in picture_files()][:7]
    expected = [session.predict("encoded", image_bytes=[content])["cartoon_bytes"][0] for content in files]
    for place in (0, 3, 7):
        cartoons, statuses = _ask(session, [*files[:place], files[0][:500], *files[place:]])
        assert cartoons[place] == b"" and "JPEG" in statuses[place]
        assert [*cartoons[:place], *cartoons[place + 1 :]] == expected
        assert [*statuses[:place], *statuses[place + 1 :]] == [""] * 7


BAD = {
    b"": "not a picture",
    b"hello": "not a picture",
    encode(draw(0), "JPEG")[:-300]: "the JPEG file is damaged",
    encode(draw(0), "JPEG")[:200]: "the JPEG file is damaged",
    encode(draw(0), "PNG")[:-300]: "the PNG file is damaged",
    encode(draw(0), "PNG").replace(b"IDAT", b"IDAT\0", 1): "the PNG file is damaged",
    encode(draw(0), "PNG")[:20]: "header is damaged",
    encode(Image.fromarray(draw(0)), "GIF")[:-300]: "the GIF file is damaged",
    encode(Image.fromarray(draw(0)), "BMP")[:-300]: "the BMP file is incomplete",
    encode(Image.new("1", (1000, 1001)), "PNG"): "a picture of 1000 x 1001 pixels has more than 100000,",
    b"RIFF\x24\0\0\0WEBPVP8 ": "a WebP file: send JPEG, PNG, GIF or BMP; `python -m export.client`",
    encode(draw(0), "WEBP"): "a WebP file",
    encode(draw(0), "AVIF"): "an AVIF file",
    encode(draw(0), "TIFF"): "a TIFF file",
    encode(draw(0), "JPEG2000"): "a JPEG 2000 file",
    encode(Image.fromarray(draw(0)), "ICO"): "an icon",
    encode(Image.fromarray(draw(0)), "PDF"): "a PDF file",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "a HEIC file",
    b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic": "a HEIC file",
    b"\xff\x0a" + bytes(50): "a JPEG XL file",
    b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL file",
    b"8BPS\0\1": "a Photoshop file",
    b"\0\0\0\x20ftypisom": "a film: cartoonize draws films",
    b"\x1a\x45\xdf\xa3 webm": "a film",
}


@pytest.mark.parametrize("content, reason", BAD.items(), ids=BAD.values())
def test_the_reason_is_told_where_encoded_refuses_the_request(session, content, reason):
    cartoons, statuses = _ask(session, [GOOD, content])
    assert cartoons[0] and not cartoons[1] and statuses[0] == "" and reason in statuses[1]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[") as caught:
        session.predict("encoded", image_bytes=[GOOD, content])
    assert statuses[1] in caught.value.message


def test_options_that_cannot_be_used_are_the_status_of_their_picture(session):
    cases = [
        ({"strength": 1.5}, "strength 1.5"),
        ({"strength": float("nan")}, "strength nan"),
        ({"long_side": -1}, "long_side -1"),
        ({"format": "webp"}, "the formats are png and jpeg"),
        ({"format": ""}, "the formats are png and jpeg"),
    ]
    for options, named in cases:
        assert named in _ask(session, [GOOD], **options)[1][0], options
    large = encode(draw(0, 101, 100), "PNG")
    _, statuses = _ask(session, [large, large, large], long_side=[101, 50, 0])
    assert f"more than {MAX_PIXELS}," in statuses[0] and statuses[1:] == ["", ""]


def test_one_pixel_is_drawn_in_every_format(session):
    files = [encode(draw(1, 1, 1), format) for format in ("JPEG", "PNG", "GIF", "BMP")]
    cartoons, statuses = _ask(session, files)
    assert statuses == [""] * 4 and all(_opened(cartoon).shape == (1, 1, 3) for cartoon in cartoons)


def test_no_pictures_are_no_cartoons(session):
    assert _ask(session, []) == ([], [])


def test_colors_are_kept_as_cartoonize_keeps_them(session):
    photo = draw_photo_like(0, 60, 80)
    files = [encode(photo, "PNG")] * 4
    cartoons, statuses = _ask(session, files, keep_colors=[True, False, True, False], strength=[1, 1, 0.6, 0.6])
    assert statuses == [""] * 4
    kept, plain, kept_mild, mild = map(_opened, cartoons)
    for strength, cartoon, with_colors in ((1, kept, True), (0.6, kept_mild, True), (0.6, mild, False)):
        expected = blend_with_photo(photo[None], plain[None], strength, with_colors)[0]
        np.testing.assert_allclose(cartoon.astype(int), expected, atol=2)
    assert np.abs(kept.astype(int) - plain).mean() > 5  # the colours were others


def test_a_jpeg_is_the_png_as_cartoonize_would_write_it(session):
    rgba = np.dstack([draw_photo_like(1, 40, 50), np.tile(np.arange(50, dtype=np.uint8) * 5, (40, 1))])
    files = [encode(draw_photo_like(1, 40, 50), "PNG"), encode(Image.fromarray(rgba), "PNG")]
    pngs, _ = _ask(session, files)
    jpegs, statuses = _ask(session, files, format="jpeg")
    assert statuses == ["", ""]
    for png, jpeg in zip(pngs, jpegs, strict=True):
        written = Image.open(io.BytesIO(jpeg))
        assert (written.format, written.mode) == ("JPEG", "RGB")
        expected = Image.open(io.BytesIO(encode(over_white(_opened(png)), "JPEG", quality=95, subsampling=0)))
        assert written.quantization == expected.quantization and written.layer == expected.layer
        np.testing.assert_allclose(np.asarray(written).astype(int), np.asarray(expected), atol=3)
