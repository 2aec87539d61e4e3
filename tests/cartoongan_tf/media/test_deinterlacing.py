import numpy as np
import pytest

from cartoongan_tf.media import film
from cartoongan_tf.media.film_reader import opened
from tests import films
from tests.helpers import draw

HEIGHT = 304
WIDTH = 320
STEP = 12  # pixels between two moments
NUM_FRAMES = 8


def _moments():
    """Pictures of a camera that pans, twice as many as frames; grey, as woven RGB has mixed colours in YUV 4:2:0."""
    scene = np.repeat(draw(3, HEIGHT, WIDTH + 2 * NUM_FRAMES * STEP)[..., 1:2], 3, -1)
    return [scene[:, i * STEP : i * STEP + WIDTH] for i in range(2 * NUM_FRAMES)]


def _woven(moments):
    """Frames of two fields each: even rows of one moment, odd ones of the next."""
    frames = [first.copy() for first in moments[::2]]
    for frame, second in zip(frames, moments[1::2], strict=True):
        frame[1::2] = second[1::2]
    return frames


def _read(path):
    with opened(path) as reader:
        batches = list(reader.batches(3))
        pictures = [picture for batch in batches for picture in batch.pictures]
        return pictures, [time.pts for batch in batches for time in batch.times], reader.num_interlaced


def _level_error(picture, truth):
    return np.abs(picture.astype(int) - truth).mean()


def test_combs_without_a_flag_become_one_moment(tmp_path):
    moments = _moments()
    combed = _woven(moments)
    pictures, times, num_interlaced = _read(films.write_film(tmp_path / "rip.mp4", combed))
    assert num_interlaced == NUM_FRAMES == len(pictures)
    assert times == sorted(set(times))
    for picture, woven, moment in zip(pictures, combed, moments[::2], strict=True):
        assert _level_error(picture, moment) < _level_error(woven, moment) / 4


def test_a_progressive_film_is_left_alone(tmp_path):
    path = films.write_film(tmp_path / "film.mp4", _moments())
    pictures, _, num_interlaced = _read(path)
    assert num_interlaced == 0
    np.testing.assert_array_equal(pictures, films.Seen(path).pictures)


def test_flags_count_where_nothing_moves(tmp_path):
    path = films.write_film(tmp_path / "flagged.mkv", [_moments()[0]] * 4, options={"x264-params": "tff=1"})
    assert films.Seen(path).frames[0].interlaced_frame
    pictures, _, num_interlaced = _read(path)
    assert num_interlaced == len(pictures) == 4


def test_mixed_sizes_and_the_sound_stay_in_order(tmp_path):
    """Recordings that were joined: interlaced, then of half the size, then interlaced."""
    moments = _moments()
    small = [np.ascontiguousarray(moment[::4, ::4]) for moment in moments]
    parts = [films.write_film(tmp_path / f"{i}.ts", part) for i, part in enumerate((_woven(moments), small))]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts[i].read_bytes() for i in (0, 1, 0)))
    pictures, times, num_interlaced = _read(joined)
    assert num_interlaced == 2 * NUM_FRAMES
    assert len(pictures) == len(times) == 2 * NUM_FRAMES + len(small)
    assert times == sorted(set(times))


@pytest.mark.parametrize("num_frames", [1, 2])
def test_short_films(tmp_path, num_frames):
    path = films.write_film(tmp_path / "short.mp4", _woven(_moments())[:num_frames])
    pictures, _, num_interlaced = _read(path)
    assert len(pictures) == num_interlaced == num_frames


def test_the_result_is_progressive_and_says_so(tmp_path):
    path = films.write_film(tmp_path / "rip.mp4", _woven(_moments()))
    report = film.draw_film(path, tmp_path / "drawn.mp4", films.same)
    assert f"{NUM_FRAMES} interlaced frames are deinterlaced" in report.remarks()
    drawn = films.Seen(tmp_path / "drawn.mp4")
    assert len(drawn.frames) == NUM_FRAMES
    assert not any(frame.interlaced_frame for frame in drawn.frames)
    _, _, num_interlaced = _read(tmp_path / "drawn.mp4")
    assert num_interlaced == 0


@pytest.mark.parametrize("size, matrix", [((16, 1280), 1), ((592, 64), 1), ((16, 1264), 5)])
def test_an_untagged_film_has_its_sizes_colours(tmp_path, size, matrix):
    """HD: BT.709, everything else BT.601."""
    picture = draw(5, *size)
    tagged = films.write_film(tmp_path / "tagged.mkv", [picture] * 2, colorspace=matrix)
    untagged = films.write_film(tmp_path / "untagged.mkv", [picture] * 2, colorspace=matrix, is_tagged=False)
    assert films.Seen(untagged).frames[0].colorspace == 2
    np.testing.assert_array_equal(_read(untagged)[0], _read(tagged)[0])
    film.draw_film(untagged, tmp_path / "drawn.mkv", films.same)
    assert _level_error(_read(tmp_path / "drawn.mkv")[0][0], _read(tagged)[0][0]) < 1
