"""The tracks beside the picture: copied, encoded anew, or named as left out."""

from fractions import Fraction

import av
import numpy as np
import pytest

from cartoongan_tf.media import film
from tests.films import NUM_FRAMES, Seen, add_tone, make_film, same

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,700\nHello\n\n2\n00:00:00,100 --> 00:00:00,400\nat once\n"
CHAPTERS = [
    {"id": i, "start": 400 * i, "end": 400 * (i + 1), "time_base": Fraction(1, 1000), "metadata": {"title": title}}
    for i, title in enumerate(("One", "Two"))
]
TIME = "2020-05-04T10:20:30.000000Z"
FONT = b"not really a font"


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A film with sound, subtitles, chapters, an attachment, a title, and facts that are private."""
    folder = tmp_path_factory.mktemp("tracks")
    (folder / "subtitles.srt").write_text(SUBTITLES)
    with (
        av.open(str(make_film(folder / "plain.mkv"))) as plain,
        av.open(str(folder / "subtitles.srt")) as subtitles,
        av.open(str(folder / "full.mkv"), "w") as container,
    ):
        copies = {stream: container.add_stream_from_template(stream) for stream in plain.streams}
        copies[subtitles.streams[0]] = copy = container.add_stream_from_template(subtitles.streams[0])
        copy.metadata["language"] = "eng"
        container.add_attachment("font.ttf", "application/x-truetype-font", FONT)
        container.metadata.update(title="My film", date="2020", location="+48.1000+011.5000/", creation_time=TIME)
        container.set_chapters(CHAPTERS)
        for source in (subtitles, plain):
            for packet in source.demux():
                if packet.size:
                    packet.stream = copies[packet.stream]
                    container.mux(packet)
    return folder / "full.mkv"


def _subtitles(path):
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        packets = [packet for packet in container.demux(stream) if packet.size]
        return stream.language, [(packet.pts, packet.duration, bytes(packet)) for packet in packets]


def test_everything_that_the_format_takes_is_copied(full, tmp_path):
    report = film.draw_film(full, tmp_path / "out.mkv", same)
    assert report.remarks() == []
    assert _subtitles(tmp_path / "out.mkv") == _subtitles(full)
    assert _subtitles(full)[1][1][0] == 100  # both at once
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert [chapter["metadata"] for chapter in container.chapters()] == [{"title": "One"}, {"title": "Two"}]
        assert [stream.data for stream in container.streams.attachments] == [FONT]
        assert container.metadata["title"] == "My film"
        assert container.metadata["DATE"] == "2020"
        assert "LOCATION" not in container.metadata


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_time_and_place_are_kept_on_request(full, tmp_path, suffix):
    film.draw_film(full, tmp_path / f"out{suffix}", same, keep_metadata=True)
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        facts = {name.lower(): value for name, value in container.metadata.items()}
    assert facts["location"] == "+48.1000+011.5000/"
    assert facts["creation_time"] == TIME


def test_tracks_that_the_format_does_not_take_are_named(full, tmp_path):
    report = film.draw_film(full, tmp_path / "out.mp4", same)
    assert report.remarks() == ["left out: 1 subrip subtitle track, 1 attachment"]
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(container.chapters()) == 2
        assert container.metadata["title"] == "My film"
        assert not container.streams.subtitles


@pytest.mark.parametrize(
    "codec, source, target, result",
    [
        ("aac", "in.mkv", "out.webm", "opus"),
        ("libopus", "in.mkv", "out.mov", "aac"),
        ("pcm_mulaw", "in.mov", "out.mkv", "aac"),
        ("adpcm_ms", "in.avi", "out.mkv", "aac"),
    ],
)
def test_sound_that_the_format_does_not_take_is_encoded_anew(tmp_path, codec, source, target, result):
    codec_of_video = "mpeg4" if source.endswith("avi") else "libx264"
    make_film(tmp_path / source, codec_of_video, (codec,), range(NUM_FRAMES), Fraction(1, 25))
    report = film.draw_film(tmp_path / source, tmp_path / target, same)
    assert "encoded anew" in report.remarks()[0]
    with av.open(str(tmp_path / target)) as container:
        (sound,) = container.streams.audio
        assert sound.codec_context.codec.canonical_name == result
        frames = list(container.decode(sound))
        starts_at = float(frames[0].pts * frames[0].time_base)
        samples = np.concatenate([frame.to_ndarray().reshape(2, -1)[0] for frame in frames if frame.format.is_planar])
        tone = np.abs(np.fft.rfft(samples[4096:24576]))
        assert np.argmax(tone) * sound.rate / 20480 == pytest.approx(48000 / 10 / (2 * np.pi), rel=0.02)
    assert abs(starts_at) < 0.05
    assert len(samples) / sound.rate == pytest.approx(0.8, abs=0.1)


def test_sound_without_samples_is_left_out(tmp_path):
    with av.open(str(tmp_path / "in.ts"), "w") as container:
        video = container.add_stream("libx264", rate=25, width=64, height=48)
        video.pix_fmt = "yuv420p"
        container.add_stream("aac", rate=48000, layout="stereo")
        for _ in range(NUM_FRAMES):
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        container.mux(video.encode(None))
    with av.open(str(tmp_path / "in.ts")) as container:
        assert [stream.rate for stream in container.streams.audio] == [0]
    report = film.draw_film(tmp_path / "in.ts", tmp_path / "out.mp4", same)
    assert report.remarks() == ["left out: 1 empty sound track"]
    assert Seen(tmp_path / "out.mp4").sound == []


def test_a_cover_picture_is_named(tmp_path):
    plain = make_film(tmp_path / "plain.mp4")
    with av.open(str(plain)) as source, av.open(str(tmp_path / "in.mp4"), "w") as container:
        copies = {stream: container.add_stream_from_template(stream) for stream in source.streams}
        cover = container.add_stream("mjpeg", rate=1, width=64, height=48)
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))))
        container.mux(cover.encode(None))
        for packet in source.demux():
            if packet.size:
                packet.stream = copies[packet.stream]
                container.mux(packet)
    report = film.draw_film(tmp_path / "in.mp4", tmp_path / "out.mp4", same)
    assert report.remarks() == ["left out: 1 cover picture"]
    assert report.num_frames == NUM_FRAMES
    assert report.num_audio == 1


def test_a_trimmed_film_is_not_cut_short(tmp_path):
    """A trim by a phone hides the first half, which is still there."""
    plain = make_film(tmp_path / "plain.mp4", audio=())
    with av.open(str(plain)) as source, av.open(str(tmp_path / "in.mp4"), "w") as container:
        copy = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.size:
                packet.pts -= 36000
                packet.dts -= 36000
                packet.stream = copy
                container.mux(packet)
    with av.open(str(tmp_path / "in.mp4")) as container:
        assert container.streams.video[0].frames == NUM_FRAMES
    report = film.draw_film(tmp_path / "in.mp4", tmp_path / "out.mp4", same)
    assert report.num_frames == NUM_FRAMES / 2
    assert report.remarks() == []


def test_tones_are_real(tmp_path):
    """`add_tone`, on which the tests above rely, writes what it says."""
    with av.open(str(tmp_path / "tone.wav"), "w") as container:
        add_tone(container, container.add_stream("pcm_s16le", rate=48000, layout="stereo"))
    with av.open(str(tmp_path / "tone.wav")) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 38400
