"""Pictures of several frames: animations, and TIFF's pages."""

import os

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from tests.helpers import draw


def test_animations_keep_frames_durations_and_loop(tmp_path):
    frames = [np.full((20, 30, 3), 60 * index, np.uint8) for index in range(4)]
    picture = pictures.Picture(frames, durations_ms=[50, 100, 200, 400], loop=3)
    for suffix in (".gif", ".webp", ".png"):
        pictures.write(tmp_path / f"a{suffix}", picture)
        read = pictures.read(tmp_path / f"a{suffix}")
        assert read.durations_ms == [50, 100, 200, 400] and read.loop == 3 and read.suffix == suffix, suffix
        for frame, expected in zip(read.frames, frames, strict=True):
            np.testing.assert_allclose(frame[..., :3].astype(int), expected, atol=4, err_msg=suffix)


def test_transparent_animations_do_not_smear(tmp_path):
    """Each frame has its dot elsewhere; the one before must not shine through."""
    frames, (y, x) = [], np.mgrid[0:60, 0:60]
    for index in range(3):
        frame = np.zeros((60, 60, 4), np.uint8)
        frame[np.hypot(y - 10 - 20 * index, x - 10) < 9] = (200, 30, 30, 255)
        frames.append(frame)
    for suffix in (".gif", ".webp", ".png"):
        pictures.write(tmp_path / f"a{suffix}", pictures.Picture(frames, durations_ms=[100] * 3))
        for frame, expected in zip(pictures.read(tmp_path / f"a{suffix}").frames, frames, strict=True):
            np.testing.assert_array_equal(frame[..., 3], expected[..., 3])


def test_pages_of_a_tiff_may_differ_in_size(tmp_path):
    frames = [draw(0, 20, 30), draw(1, 10, 12)]
    pictures.write(tmp_path / "a.tif", pictures.Picture(frames))
    for frame, expected in zip(pictures.read(tmp_path / "a.tif").frames, frames, strict=True):
        np.testing.assert_array_equal(frame, expected)


def test_pages_of_different_sizes_are_refused_elsewhere(tmp_path):
    pages = pictures.Picture([draw(0, 20, 30), draw(1, 10, 12)])
    with pytest.raises(InputError, match=r"a\.webp: pages of different sizes"):
        pictures.write(tmp_path / "a.webp", pages)


def test_every_frame_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(draw(seed, 20, 40)) for seed in range(2)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], exif=exif)
    assert [frame.shape[:2] for frame in pictures.read(tmp_path / "a.webp").frames] == [(40, 20)] * 2


def test_an_animation_that_runs_once_stays_so(tmp_path):
    for suffix in (".gif", ".webp", ".png"):
        pictures.write(tmp_path / f"a{suffix}", pictures.Picture([draw(0), draw(1)], durations_ms=[90, 90], loop=None))
        assert pictures.read(tmp_path / f"a{suffix}").loop in (None, 1), suffix


def test_alpha_that_begins_later_is_kept(tmp_path):
    frames = [draw(0, 60, 60), np.dstack([draw(1, 60, 60), np.tri(60, dtype=np.uint8) * 255])]
    for suffix in (".webp", ".png"):
        pictures.write(tmp_path / f"a{suffix}", pictures.Picture(frames, durations_ms=[90, 90]))
        np.testing.assert_array_equal(pictures.read(tmp_path / f"a{suffix}").frames[1][..., 3], frames[1][..., 3])


def test_the_preview_inside_a_cameras_jpeg_is_no_second_frame(tmp_path):
    first, preview = Image.fromarray(draw(0)), Image.fromarray(draw(1, 15, 20))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[preview])
    assert [frame.shape for frame in pictures.read(tmp_path / "a.jpg").frames] == [(60, 80, 3)]


def test_more_frames_than_a_format_holds_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.jpg: \.jpg holds one frame, not 2"):
        pictures.write(tmp_path / "a.jpg", pictures.Picture([draw(0), draw(1)]))
    assert not os.listdir(tmp_path)
