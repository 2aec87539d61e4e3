"""A film in parts, drawn apart and joined: the film that `draw_film` writes."""

import numpy as np
import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film, film_parts
from tests.films import Seen, add_tone, destroy, make_film, same, write_film
from tests.helpers import draw

SHOTS = (14, 5, 12, 11)  # numbers of frames; the second one is too short for a part of its own


def _pictures():
    """Shots of a picture that moves."""
    return [np.roll(draw(seed, 48, 64), frame, 1) for seed, length in enumerate(SHOTS) for frame in range(length)]


def _film_with_sound(path, rate=25, gop=20):
    """A film with key frames anywhere but at the cuts."""
    import av

    silent = write_film(path.with_stem("silent"), _pictures(), gop=gop, rate=rate, options={"sc_threshold": "0"})
    with av.open(str(silent)) as source, av.open(str(path), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("aac", rate=48000, layout="stereo")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = video
                target.mux(packet)
        add_tone(target, sound)
    return path


@pytest.fixture(autouse=True)
def short_parts(monkeypatch):
    monkeypatch.setattr(film_parts, "_FEWEST_FRAMES", 10)


class Drawer:
    """A function that inverts pictures, and remembers them."""

    def __init__(self):
        self.seen = []

    def __call__(self, pictures):
        self.seen += list(pictures)
        return 255 - pictures


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_parts_give_the_film(tmp_path, suffix):
    source = _film_with_sound(tmp_path / f"film{suffix}")
    target = tmp_path / ("whole.mkv" if suffix == ".ts" else f"whole{suffix}")
    whole = Drawer()
    film.draw_film(source, target, whole)
    parts = film_parts.find_parts(source, target)
    assert [part.num_frames for part in parts] == [14, 17, 11]

    in_parts = {}
    files = [tmp_path / f"{number}.mp4" for number in range(len(parts))]
    for number in (2, 0, 1):  # by any worker, in any order
        in_parts[number] = Drawer()
        film_parts.draw_part(source, parts[number], files[number], in_parts[number], batch_size=3)
    np.testing.assert_array_equal(np.stack(whole.seen), np.concatenate([in_parts[i].seen for i in range(3)]))

    joined = tmp_path / f"joined{target.suffix}"
    assert film_parts.join_parts(source, joined, parts, files) == []
    before, after = Seen(target), Seen(joined)
    assert after.times == before.times and len(after.times) == sum(SHOTS)
    assert after.sound == before.sound and after.rate == before.rate
    assert after.duration == before.duration
    np.testing.assert_allclose(after.pictures.mean((1, 2)), before.pictures.mean((1, 2)), atol=1.5)


def test_films_to_draw_in_one_piece(tmp_path):
    long = write_film(tmp_path / "long.mp4", _pictures())
    assert len(film_parts.find_parts(long, tmp_path / "out.mp4")) == 3
    assert film_parts.find_parts(long, tmp_path / "out.webm") == []
    short = make_film(tmp_path / "short.mp4")
    assert film_parts.find_parts(short, tmp_path / "out.mp4") == []
    destroy(long, packets=range(20, 24))
    assert film_parts.find_parts(long, tmp_path / "out.mp4") == []
    with pytest.raises(InputError, match=r"out\.avi"):
        film_parts.find_parts(long, tmp_path / "out.avi")


def test_a_film_that_has_changed(tmp_path):
    source = write_film(tmp_path / "film.mp4", _pictures())
    parts = film_parts.find_parts(source, tmp_path / "out.mp4")
    write_film(source, _pictures()[:20])
    with pytest.raises(InputError, match=r"film\.mp4.*changed"):
        film_parts.draw_part(source, parts[-1], tmp_path / "part.mp4", same)
    assert not (tmp_path / "part.mp4").exists()


def test_a_jump_that_lands_on_another_frame_is_noticed(tmp_path, monkeypatch):
    """The part is then found from the beginning of the film."""
    source = write_film(tmp_path / "film.mp4", _pictures(), gop=5)
    part = film_parts.find_parts(source, tmp_path / "out.mp4")[1]
    found, sought = Drawer(), Drawer()
    film_parts.draw_part(source, part, tmp_path / "part.mp4", found)
    wrong = part._replace(checksum=part.checksum + 1)
    film_parts.draw_part(source, wrong, tmp_path / "part.mp4", sought)
    np.testing.assert_array_equal(found.seen, sought.seen)
