import os
import resource
from fractions import Fraction

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film
from tests.films import HEIGHT, NUM_FRAMES, WIDTH, YCGCO, Seen, make_film, same


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("films") / "steady.mp4")


def test_mp4_can_be_played_while_it_loads(steady, tmp_path):
    film.draw_film(steady, tmp_path / "out.mp4", same)
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_all_sound_is_kept_with_its_language(tmp_path):
    make_film(tmp_path / "in.mkv", audio=["aac", "ac3"])
    film.draw_film(tmp_path / "in.mkv", tmp_path / "out.mkv", same)
    before, after = Seen(tmp_path / "in.mkv"), Seen(tmp_path / "out.mkv")
    assert len(after.sound) == 2
    assert after.languages == before.languages == ["deu", "fra"]
    assert after.sound == before.sound


def test_a_film_may_be_silent(tmp_path):
    make_film(tmp_path / "in.mp4", audio=[])
    assert film.draw_film(tmp_path / "in.mp4", tmp_path / "out.mp4", same).num_audio == 0
    assert Seen(tmp_path / "out.mp4").sound == []


def test_webm(tmp_path):
    make_film(tmp_path / "in.webm", "libvpx-vp9", audio=["libopus"])
    film.draw_film(tmp_path / "in.webm", tmp_path / "out.webm", same)
    before, after = Seen(tmp_path / "in.webm"), Seen(tmp_path / "out.webm")
    assert after.codec == "vp9"
    assert after.times == before.times
    assert after.sound == before.sound


def test_webm_has_square_pixels(tmp_path):
    make_film(
        tmp_path / "in.mp4", audio=[], prepare=lambda v: setattr(v.codec_context, "sample_aspect_ratio", Fraction(3, 2))
    )
    film.draw_film(tmp_path / "in.mp4", tmp_path / "out.webm", same)
    assert Seen(tmp_path / "out.webm").pictures.shape == (NUM_FRAMES, HEIGHT, WIDTH * 3 // 2, 3)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"colorspace": 1, "color_range": 1, "color_primaries": 1, "color_trc": 1},
        {"colorspace": 5, "color_range": 1, "color_primaries": 5, "color_trc": 6},
        {"colorspace": 1, "color_range": 2, "color_primaries": 1, "color_trc": 13},  # swscale rounds these down
    ],
    ids=["unspecified", "bt709", "bt601", "full range"],
)
def test_colours_are_kept(tmp_path, tags):
    make_film(tmp_path / "in.mp4", **tags)
    before = Seen(tmp_path / "in.mp4")
    tolerance = 1.2 if tags.get("color_range") == 2 else 0.5
    for suffix in (".mp4", ".mkv"):
        film.draw_film(tmp_path / "in.mp4", tmp_path / f"out{suffix}", same, quality=100)
        after = Seen(tmp_path / f"out{suffix}")
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            value = getattr(before.frames[0], name)
            assert value == tags.get(name, value), name
            assert getattr(after.frames[0], name) == value, (suffix, name)
        difference = after.pictures - before.pictures
        assert np.abs(difference).mean() < 2.5, suffix
        np.testing.assert_allclose(difference.mean((0, 1, 2)), 0, atol=tolerance, err_msg=suffix)


def test_quality_costs_room(steady, tmp_path):
    sizes = []
    for quality in (30, 95, 100):
        film.draw_film(steady, tmp_path / "out.mp4", same, quality=quality)
        sizes.append((tmp_path / "out.mp4").stat().st_size)
    assert sizes == sorted(set(sizes))


def test_odd_sides_grow_by_a_repeated_row_and_column(steady, tmp_path):
    film.draw_film(steady, tmp_path / "out.mp4", lambda pictures: pictures[:, :-5, :-3])
    pictures = Seen(tmp_path / "out.mp4").pictures
    assert pictures.shape == (NUM_FRAMES, HEIGHT - 4, WIDTH - 2, 3)
    np.testing.assert_allclose(pictures[:, :-1, :-1], Seen(steady).pictures[:, :-5, :-3], atol=25)
    np.testing.assert_allclose(pictures[:, -1], pictures[:, -2], atol=20)


def test_drawings_may_be_larger_than_the_film(steady, tmp_path):
    film.draw_film(steady, tmp_path / "out.mp4", lambda pictures: pictures.repeat(2, 1).repeat(2, 2))
    assert Seen(tmp_path / "out.mp4").pictures.shape[1:3] == (HEIGHT * 2, WIDTH * 2)


def test_what_cannot_be_encoded_names_the_target(steady, tmp_path):
    with pytest.raises(InputError, match=r"out\.mp4"):
        film.draw_film(steady, tmp_path / "out.mp4", lambda pictures: np.zeros((len(pictures), 2, 20000, 3), np.uint8))
    assert not os.listdir(tmp_path)


def test_colours_that_cannot_be_encoded_name_the_film(tmp_path):
    def prepare(video):
        video.pix_fmt, video.codec_context.colorspace = "gray", YCGCO  # grey can be read without knowing YCgCo

    source = make_film(tmp_path / "in.mkv", "ffv1", prepare=prepare)
    with pytest.raises(InputError, match=r"in\.mkv: its colours cannot be written"):
        film.draw_film(source, tmp_path / "out.mp4", same)
    assert os.listdir(tmp_path) == ["in.mkv"]


def test_a_full_disk_names_the_target(steady, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(OSError) as error:
            film.draw_film(steady, tmp_path / "out.mp4", same)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.filename == str(tmp_path / "out.mp4")
    assert not os.listdir(tmp_path)
