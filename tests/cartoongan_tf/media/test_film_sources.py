"""Films as they come are drawn: their times, their pixels, and their damage."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import film
from tests.films import (
    NUM_FRAMES,
    STEADY,
    TICK,
    YCGCO,
    Seen,
    add_tone,
    av,
    destroy,
    make_all_broken,
    make_film,
    make_without_frames,
    same,
)
from tests.helpers import draw

VARIABLE = [2000 * i + 37 * i * i for i in range(NUM_FRAMES)]


@pytest.mark.parametrize("source", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_of_a_variable_frame_rate_are_kept(tmp_path, source, suffix):
    before = Seen(make_film(tmp_path / f"in{source}", times=VARIABLE))
    film.draw_film(tmp_path / f"in{source}", tmp_path / f"out{suffix}", same)
    after = Seen(tmp_path / f"out{suffix}")
    assert len(set(np.diff(before.times))) > 10
    if suffix == ".mp4" or source == ".mkv":
        assert after.times == before.times
    np.testing.assert_allclose(np.float64(after.times), np.float64(before.times), atol=0.00051)  # Matroska counts in ms
    if suffix == source == ".mp4":  # Matroska has no room for it
        assert float(after.duration) == pytest.approx(float(before.duration), abs=0.02)


def test_a_late_start_stays_late(tmp_path):
    make_film(tmp_path / "in.mp4", times=[time + 45000 for time in STEADY])
    film.draw_film(tmp_path / "in.mp4", tmp_path / "out.mp4", same)
    before, after = Seen(tmp_path / "in.mp4"), Seen(tmp_path / "out.mp4")
    assert before.times[0] == Fraction(1, 2)
    assert after.times == before.times
    assert after.sound == before.sound


def test_a_broadcast_starts_at_zero_in_sync(tmp_path):
    make_film(tmp_path / "in.ts")
    film.draw_film(tmp_path / "in.ts", tmp_path / "out.mp4", same)
    before, after = Seen(tmp_path / "in.ts"), Seen(tmp_path / "out.mp4")
    shift = before.sound[0][0][0]
    assert shift > 0
    np.testing.assert_allclose(np.float64(after.times), np.float64([t - shift for t in before.times]), atol=0.0001)
    assert after.sound[0][0][0] == 0


def test_recordings_that_were_joined_follow_each_other(tmp_path):
    source = make_film(tmp_path / "in.ts", times=[9000 * i for i in range(NUM_FRAMES)])
    source.write_bytes(source.read_bytes() * 2)  # the second one's clock starts at 0 again
    for suffix in (".mp4", ".mkv"):
        report = film.draw_film(source, tmp_path / f"out{suffix}", same)
        after = Seen(tmp_path / f"out{suffix}")
        assert report.num_frames == len(after.times) == 2 * NUM_FRAMES, suffix
        assert (np.diff(after.times) > 0).all(), suffix
        assert report.duration_secs == pytest.approx(4, abs=0.2), suffix


def test_other_kinds_of_pixels_keep_their_colours(tmp_path):
    for kind in ("bgr0", "yuv444p10le", "gray"):
        make_film(
            tmp_path / "in.mkv", "ffv1", audio=[], prepare=lambda video, kind=kind: setattr(video, "pix_fmt", kind)
        )
        film.draw_film(tmp_path / "in.mkv", tmp_path / "out.mp4", same)
        difference = Seen(tmp_path / "out.mp4").pictures - Seen(tmp_path / "in.mkv").pictures
        np.testing.assert_allclose(difference.mean((0, 1, 2)), 0, atol=1, err_msg=kind)


ORIENTATIONS = {  # counterclockwise turn and mirroring, as PyAV writes them -> what a viewer shows
    (0, False): lambda p: p,
    (90, False): lambda p: np.rot90(p, 1, (1, 2)),
    (180, False): lambda p: np.rot90(p, 2, (1, 2)),
    (-90, False): lambda p: np.rot90(p, -1, (1, 2)),
    (0, True): lambda p: p[:, :, ::-1],
    (90, True): lambda p: np.rot90(p, 1, (1, 2))[:, :, ::-1],
}


@pytest.mark.parametrize("turn, mirrored", ORIENTATIONS)
def test_films_are_drawn_upright_and_keep_the_shape_of_their_pixels(tmp_path, turn, mirrored):
    def prepare(video):
        video.set_display_rotation(turn, hflip=mirrored)
        video.codec_context.sample_aspect_ratio = Fraction(4, 3)

    make_film(tmp_path / "in.mp4", prepare=prepare)
    film.draw_film(tmp_path / "in.mp4", tmp_path / "out.mp4", same)
    before, after = Seen(tmp_path / "in.mp4"), Seen(tmp_path / "out.mp4")
    expected = ORIENTATIONS[turn, mirrored](before.pictures)
    assert after.pictures.shape == expected.shape
    np.testing.assert_allclose(after.pictures, expected, atol=40)
    assert after.frames[0].rotation == 0
    assert after.aspect == (Fraction(3, 4) if abs(turn) == 90 else Fraction(4, 3))


@pytest.mark.parametrize("orientation, turn", [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_frames_with_side_data_that_pyav_does_not_know_are_drawn_upright(tmp_path, orientation, turn):
    """A camera's JPEGs in a row, with EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    for seed in range(3):
        Image.fromarray(draw(seed)).save(content, "JPEG", exif=exif, quality=95, subsampling=0)
    (tmp_path / "in.avi").write_bytes(content.getvalue())
    with pytest.raises(ValueError), av.open(str(tmp_path / "in.avi")) as container:
        next(container.decode(video=0)).side_data.get("DISPLAYMATRIX")
    film.draw_film(tmp_path / "in.avi", tmp_path / "out.mp4", same)
    expected = np.stack([np.rot90(draw(seed), turn) for seed in range(3)]).astype(int)
    assert np.abs(Seen(tmp_path / "out.mp4").pictures - expected).mean() < 8


@pytest.mark.parametrize("codec, tick", [("libx264", TICK), ("mjpeg", TICK), ("mpeg4", Fraction(1, 25))])
def test_a_broken_frame_shows_the_last_good_drawing(tmp_path, codec, tick):
    times = list(range(NUM_FRAMES)) if tick != TICK else VARIABLE
    source = make_film(tmp_path / "in.mp4", codec, times=times, tick=tick)
    content = source.read_bytes()
    before = Seen(source)
    for broken in ({7}, {7, 8, 9}, {19}):
        source.write_bytes(content)
        destroy(source, broken)
        report, num_drawn = _draw_counting(source, tmp_path / "out.mp4")
        after = Seen(tmp_path / "out.mp4")
        assert report.num_broken == len(broken), broken
        assert num_drawn == NUM_FRAMES - len(broken), broken
        assert report.num_frames == NUM_FRAMES, broken
        assert after.times == before.times, broken
        if codec == "mjpeg":  # its packets lie in the order in which they are shown
            first = min(broken)
            good = np.delete(before.pictures, list(broken), 0)
            np.testing.assert_allclose(after.pictures[first], after.pictures[first - 1], atol=12)
            np.testing.assert_allclose(after.pictures, good[_index_of_shown(broken)], atol=40, err_msg=str(broken))


def _draw_counting(source, target):
    """Draw a film unchanged; return the report and the number of pictures that were drawn."""
    counts = []
    report = film.draw_film(source, target, lambda pictures: counts.append(len(pictures)) or pictures)
    return report, sum(counts)


def _index_of_shown(broken):
    """Return, for each frame, the index of the good one that it shows."""
    return np.cumsum([i not in broken for i in range(NUM_FRAMES)]) - 1


@pytest.mark.parametrize("broken, num_drawn", [({7}, NUM_FRAMES - 1), ({0}, NUM_FRAMES)])
def test_a_frame_that_is_damaged_in_part_is_drawn_only_at_the_start(tmp_path, broken, num_drawn):
    source = make_film(tmp_path / "in.mp4", "mpeg4", times=list(range(NUM_FRAMES)), tick=Fraction(1, 25))
    destroy(source, broken, share=0.5)
    report, count = _draw_counting(source, tmp_path / "out.mp4")
    assert (report.num_frames, report.num_broken, count) == (NUM_FRAMES, 1, num_drawn)


def test_a_broken_start_is_left_out(tmp_path):
    source = make_film(tmp_path / "in.mp4", "mjpeg")
    before = Seen(source)
    destroy(source, {0, 1})
    report = film.draw_film(source, tmp_path / "out.mp4", same)
    assert (report.num_frames, report.num_broken) == (NUM_FRAMES - 2, 2)
    assert Seen(tmp_path / "out.mp4").times == before.times[2:]


def _encrypted(path):
    """A film whose packets are encrypted, as those of a shop may be."""
    plain = make_film(path.with_name("plain.mp4"))
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "01" * 16, "encryption_kid": "02" * 16}
    with av.open(str(plain)) as source, av.open(str(path), "w", options=options) as container:
        copies = {stream: container.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream]
                container.mux(packet)


def _mostly_broken(path):
    make_film(path, "mjpeg")
    destroy(path, set(range(1, 12)))


def _no_video(path):
    with av.open(str(path), "w") as container:
        add_tone(container, container.add_stream("aac", rate=48000, layout="stereo"))


def _cut_short(path):
    make_film(path)
    path.write_bytes(path.read_bytes()[:-3000])  # the index is at the end


def _unknown_colours(path):
    make_film(path, prepare=lambda video: setattr(video.codec_context, "colorspace", YCGCO))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: path.write_bytes(b""), "not a film"),
        (lambda path: path.write_text("hello, I am no film\n" * 50), "not a film"),
        (_cut_short, "cut short"),
        (_no_video, "no video"),
        (make_without_frames, "no frame"),
        (make_all_broken, "no frame"),
        (_encrypted, "frames? .*encrypted"),  # by chance, a frame of noise passes for a picture
        (_mostly_broken, "11 of its 20 frames cannot be decoded; it may be encrypted"),
        (_unknown_colours, "colours cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_named(tmp_path, make, message):
    source, target = tmp_path / "in.mp4", tmp_path / "results" / "out.mp4"
    make(source)
    with pytest.raises(InputError, match=message) as error:
        film.draw_film(source, target, same)
    assert str(source) in str(error.value)
    assert not list(tmp_path.glob("results/*"))
