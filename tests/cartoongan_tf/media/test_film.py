import itertools
import os
import threading

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film, film_formats
from tests.films import NUM_FRAMES, Seen, make_film, same


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp("films") / "steady.mp4")


def test_suffixes():
    assert film_formats.output_suffix("a/b.MP4") == ".MP4"
    assert film_formats.output_suffix("a/b.avi") == ".mkv"
    assert set(film_formats.CONTAINERS) <= set(film_formats.READABLE_SUFFIXES)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in film_formats.READABLE_SUFFIXES)


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_frames_pass_in_order_and_the_sound_is_copied(steady, tmp_path, suffix):
    sizes = []

    def invert(pictures):
        assert pictures.dtype == np.uint8
        sizes.append(len(pictures))
        return 255 - pictures

    target = tmp_path / f"out{suffix}"
    report = film.draw_film(steady, target, invert, batch_size=8)
    before, after = Seen(steady), Seen(target)
    assert sizes == [8, 8, 4]
    assert (report.num_frames, report.num_broken, report.num_audio) == (NUM_FRAMES, 0, 1)
    assert report.duration_secs == pytest.approx(0.8)
    assert after.codec == "h264"
    np.testing.assert_allclose(after.pictures.mean((1, 2)), 255 - before.pictures.mean((1, 2)), atol=1.5)
    assert [data for _, data in after.sound[0]] == [data for _, data in before.sound[0]]
    np.testing.assert_allclose(
        [float(time) for time, _ in after.sound[0]], [float(time) for time, _ in before.sound[0]], atol=0.00051
    )
    assert os.listdir(tmp_path) == [target.name]


def test_unknown_format_is_refused(steady, tmp_path):
    with pytest.raises(InputError, match=r"out\.avi.*\.mkv"):
        film.draw_film(steady, tmp_path / "out.avi", pytest.fail)
    assert not os.listdir(tmp_path)


def _pool_threads():
    return {thread.name for thread in threading.enumerate() if "ThreadPool" in thread.name}


def test_an_interrupted_film_leaves_nothing(steady, tmp_path):
    of_other_tests = _pool_threads()
    for error, failing_call in itertools.product((KeyboardInterrupt, ValueError), (1, 3)):
        calls = []

        def interrupted(pictures, calls=calls, error=error, failing_call=failing_call):
            calls.append(1)
            if len(calls) == failing_call:
                raise error
            return pictures

        with pytest.raises(error):
            film.draw_film(steady, tmp_path / "out.mp4", interrupted)
        assert not os.listdir(tmp_path) and _pool_threads() <= of_other_tests, (error, failing_call)


def test_reading_and_writing_go_on_while_drawing(steady, tmp_path):
    threads = set()
    of_other_tests = _pool_threads()

    def look(pictures):
        threads.update(_pool_threads() - of_other_tests)
        assert threading.current_thread() is threading.main_thread()
        return pictures

    film.draw_film(steady, tmp_path / "out.mp4", look)
    assert len(threads) == 2


def test_progress_counts_frames_under_the_films_name(steady, tmp_path, capsys):
    film.draw_film(steady, tmp_path / "out.mp4", same)
    shown = capsys.readouterr()
    assert f"{NUM_FRAMES}/{NUM_FRAMES}" in shown.err
    assert "steady.mp4: " in shown.err
    assert not shown.out
