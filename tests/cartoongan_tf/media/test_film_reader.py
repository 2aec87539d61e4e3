"""The reader alone: frames one by one, in any size, and key frames."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film_reader
from tests.films import (
    HEIGHT,
    NUM_FRAMES,
    WIDTH,
    Seen,
    av,
    destroy,
    make_all_broken,
    make_film,
    make_without_frames,
    write_film,
)

VARIABLE = [2000 * i + 37 * i * i for i in range(NUM_FRAMES)]


def test_single_frames_are_the_batches_frames(tmp_path):
    source = make_film(tmp_path / "in.mp4", times=VARIABLE)
    with film_reader.opened(source) as reader:
        batches = list(reader.batches(4))
    with film_reader.opened(source) as reader:
        frames = list(reader.frames())
        np.testing.assert_array_equal([f.picture() for f in frames], [p for b in batches for p in b.pictures])
    assert [frame.time for frame in frames] == [time for batch in batches for time in batch.times]


@pytest.mark.parametrize("turn", [0, 90])
def test_pictures_are_made_in_any_size_and_grey(tmp_path, turn):
    make_film(tmp_path / "in.mp4", prepare=lambda video: video.set_display_rotation(turn))
    with film_reader.opened(tmp_path / "in.mp4") as reader:
        frame = next(reader.frames())
        whole, small, grey = frame.picture().astype(int), frame.picture(32).astype(int), frame.grey()
    if turn:
        whole, small, grey = (np.rot90(pixels, -1) for pixels in (whole, small, grey))
    assert small.shape == (24, 32, 3) and grey.shape == (HEIGHT, WIDTH)
    assert np.abs(small - whole.reshape(24, 2, 32, 2, 3).mean((1, 3))).mean() < 4
    np.testing.assert_allclose(grey, whole @ [0.299, 0.587, 0.114], atol=8)


def test_key_frames_alone(tmp_path):
    source = write_film(tmp_path / "in.mp4", Seen(make_film(tmp_path / "made.mp4")).pictures.astype(np.uint8), gop=5)
    with film_reader.opened(source) as reader:
        pts = [frame.time.pts for frame in reader.frames(key_frames_only=True)]
    with film_reader.opened(source) as reader:
        assert pts == [frame.time.pts for frame in reader.frames()][::5]


def test_damaged_frames_are_left_out(tmp_path):
    source = make_film(tmp_path / "in.mp4", "mjpeg")
    with film_reader.opened(source) as reader:
        expected = [frame.time.pts for frame in reader.frames()]
    destroy(source, {7, 8})
    with film_reader.opened(source) as reader:
        assert [frame.time.pts for frame in reader.frames()] == expected[:7] + expected[9:]
        assert reader.num_broken == 2


def test_frames_that_are_damaged_in_part_are_left_out(tmp_path):
    source = make_film(tmp_path / "in.mp4", "mpeg4", times=list(range(NUM_FRAMES)), tick=Fraction(1, 25))
    destroy(source, {7}, share=0.5)
    with film_reader.opened(source) as reader:
        assert len(list(reader.frames())) == NUM_FRAMES - 1 and reader.num_broken == 1


class _Failing:
    """A container whose disk fails after some packets."""

    def __init__(self, container, num_packets):
        self._container, self._num_packets = container, num_packets

    def __getattr__(self, name):
        return getattr(self._container, name)

    def demux(self, *streams):
        yield from itertools.islice(self._container.demux(*streams), self._num_packets)
        raise av.error.FFmpegError(5, "Input/output error")


def test_what_fails_under_way_gives_what_there_is(tmp_path):
    source = make_film(tmp_path / "in.mp4", "mjpeg")
    with av.open(str(source)) as container:
        reader = film_reader.Reader(source, _Failing(container, 12))
        frames = list(reader.frames())
    assert 0 < len(frames) <= 12 and "Input/output error" in reader.cut_short


@pytest.mark.parametrize("make", [make_without_frames, make_all_broken])
def test_a_film_without_frames_is_an_error(tmp_path, make):
    make(tmp_path / "in.mp4")
    with film_reader.opened(tmp_path / "in.mp4") as reader, pytest.raises(InputError, match="no frame"):
        list(reader.frames())
