"""Films with alpha: kept in WebM, over white elsewhere, and white where nothing can be seen when they are drawn."""

import av
import numpy as np
import pytest

from cartoongan_tf.media import film
from cartoongan_tf.media.film_reader import opened
from tests.films import Seen, same

HEIGHT, WIDTH = 48, 64
HIDDEN = slice(WIDTH // 2, None)
COLOR = (200, 60, 30)


def _write(path, codec, pix_fmt, alpha=0):
    """Write three frames of one colour, whose right half has this alpha."""
    picture = np.full((HEIGHT, WIDTH, 4), (*COLOR, 255), np.uint8)
    picture[:, HIDDEN, 3] = alpha
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=12, width=WIDTH, height=HEIGHT)
        video.pix_fmt = pix_fmt
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(picture, "rgba").reformat(format=pix_fmt)
            frame.pts = i
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _alpha_of(path):
    """The alpha channel of a VP9 film, uint8 [N, H, W]; FFmpeg's own decoder leaves it out."""
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    with av.open(str(path)) as container:
        assert container.streams.video[0].metadata["alpha_mode"] == "1"
        packets = [packet for packet in container.demux(video=0) if packet.size]
        frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
        return np.stack([frame.to_ndarray(format="rgba")[..., 3] for frame in frames])


SOURCES = [("in.webm", "libvpx-vp9", "yuva420p"), ("in.mov", "qtrle", "argb"), ("in.mkv", "prores_ks", "yuva444p10le")]


@pytest.mark.parametrize("name, codec, pix_fmt", SOURCES)
def test_webm_keeps_alpha(tmp_path, name, codec, pix_fmt):
    seen = []
    report = film.draw_film(
        _write(tmp_path / name, codec, pix_fmt), tmp_path / "out.webm", lambda frames: seen.append(frames) or frames
    )
    assert report.remarks() == []
    assert np.concatenate(seen).shape == (3, HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(seen[0][:, :, HIDDEN], 255)
    alpha = _alpha_of(tmp_path / "out.webm")
    np.testing.assert_allclose(alpha[:, :, : WIDTH // 2 - 4], 255, atol=2)
    np.testing.assert_allclose(alpha[:, :, WIDTH // 2 + 4 :], 0, atol=2)


@pytest.mark.parametrize("name, codec, pix_fmt", SOURCES)
def test_other_formats_show_it_over_white_and_say_so(tmp_path, name, codec, pix_fmt):
    report = film.draw_film(_write(tmp_path / name, codec, pix_fmt, alpha=128), tmp_path / "out.mp4", same)
    assert "transparency" in report.remarks()[0] and ".webm" in report.remarks()[0]
    shown = Seen(tmp_path / "out.mp4").pictures[:, 4:-4]
    np.testing.assert_allclose(shown[:, :, 4:28].mean((0, 1, 2)), COLOR, atol=4)
    np.testing.assert_allclose(shown[:, :, 36:-4].mean((0, 1, 2)), (np.array(COLOR) + 255) / 2, atol=4)


def test_an_opaque_alpha_channel_is_no_loss(tmp_path):
    report = film.draw_film(_write(tmp_path / "in.mov", "qtrle", "argb", alpha=255), tmp_path / "out.mp4", same)
    assert report.remarks() == []


def test_drawings_of_another_size_keep_their_alpha_and_pairs_have_none(tmp_path):
    source = _write(tmp_path / "in.mov", "qtrle", "argb")
    film.draw_film(source, tmp_path / "small.webm", lambda frames: frames[:, ::2, ::2])
    assert _alpha_of(tmp_path / "small.webm").shape == (3, HEIGHT // 2, WIDTH // 2)
    report = film.draw_film(source, tmp_path / "pair.webm", lambda frames: np.concatenate([frames, frames], 2))
    assert report.transparency_lost


def test_frames_for_training_are_over_white(tmp_path):
    with opened(_write(tmp_path / "in.webm", "libvpx-vp9", "yuva420p")) as reader:
        frames = list(reader.frames())
        assert len(frames) == 3
        np.testing.assert_allclose(frames[0].picture()[:, WIDTH // 2 + 4 :], 255, atol=2)
        np.testing.assert_allclose(frames[0].picture(32)[:, 20:], 255, atol=2)
        assert frames[0].grey()[:, -4:].min() > 250
