"""HDR films as SDR: the colours come back, and the result says what it is."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from cartoongan_tf.media import film, film_reader, hdr
from tests.helpers import draw

TRANSFERS = {"PQ": hdr.PQ, "HLG": hdr.HLG}
_TO_BT2020 = np.linalg.inv(
    np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def codes_of(picture, transfer):
    """The codes, 0 to 1, of an SDR picture whose white is 203 cd/m2, in BT.2020."""
    nits = 203 * (picture / 255) ** 2.4 @ _TO_BT2020.T
    if transfer == hdr.PQ:
        root = (np.maximum(nits, 0) / 10000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** 78.84375
    luminance = np.maximum(nits @ _LUMINANCE / 1000, 1e-9)
    scene = np.maximum(nits / 1000, 0) * luminance[..., np.newaxis] ** (1 / 1.2 - 1)
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    )


def _write_hdr(path, pictures, transfer):
    """Write a lossless film of 10 bits in BT.2020's YCbCr of limited range."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", 12)
        stream.width, stream.height, stream.pix_fmt = pictures[0].shape[1], pictures[0].shape[0], "yuv444p10le"
        tags = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": transfer}
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for index, picture in enumerate(pictures):
            rgb = codes_of(picture, transfer)
            y = rgb @ _LUMINANCE
            planes = (64 + 876 * y, 512 + 896 * (rgb[..., 2] - y) / 1.8814, 512 + 896 * (rgb[..., 0] - y) / 1.4746)
            frame = av.VideoFrame(stream.width, stream.height, "yuv444p10le")
            for plane, values in zip(frame.planes, planes, strict=True):
                rows = np.zeros((stream.height, plane.line_size // 2), "<u2")
                rows[:, : stream.width] = np.rint(values)
                plane.update(rows.tobytes())
            for name, value in tags.items():
                setattr(frame, name, value)
            frame.pts = index
            frame.time_base = Fraction(1, 12)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(params=TRANSFERS)
def hdr_film(request, tmp_path):
    pictures = [draw(seed, 60, 80) for seed in range(3)]
    path = tmp_path / "hdr.mkv"
    _write_hdr(path, pictures, TRANSFERS[request.param])
    return path, pictures


def test_sdr_comes_back_from_hdr(hdr_film):
    path, pictures = hdr_film
    with film_reader.opened(path) as reader:
        for frame, expected in zip(reader.frames(), pictures, strict=True):
            difference = np.abs(frame.picture().astype(int) - expected)
            assert difference.max() <= 5 and difference.mean() < 1.5  # 10 bits are few for saturated colours
            assert np.abs(frame.grey().astype(int) - cv2.cvtColor(expected, cv2.COLOR_RGB2GRAY)).max() <= 4
            assert frame.picture(long_side=40).shape == (30, 40, 3)


def test_a_film_drawn_from_hdr_is_tagged_as_sdr(hdr_film, tmp_path):
    path, pictures = hdr_film
    film.draw_film(path, tmp_path / "drawn.mkv", lambda frames: frames, 2, 95)
    with av.open(str(tmp_path / "drawn.mkv")) as container:
        frames = list(container.decode(video=0))
    assert {(frame.colorspace, frame.color_primaries, frame.color_trc) for frame in frames} == {(1, 1, 1)}
    seen = frames[0].to_ndarray(format="rgb24").astype(int)
    assert np.abs(seen - pictures[0]).mean() < 6


@pytest.mark.parametrize("transfer", TRANSFERS.values())
def test_highlights_are_compressed_and_black_is_black(transfer):
    codes = np.repeat(np.linspace(0, 2**16 - 1, 1000).astype(np.uint16), 3).reshape(1, 1000, 3)
    grey = hdr.to_sdr(codes, transfer, hdr.BT2020_PRIMARIES)[0]
    assert (np.diff(grey.astype(int), axis=0) >= 0).all()
    assert grey[0].max() == 0 and grey[-1].min() >= 254
    assert np.ptp(grey.astype(int), axis=1).max() <= 1
