"""Small films for tests, written and read with PyAV alone."""

from fractions import Fraction

import av
import numpy as np

from tests.helpers import draw

NUM_FRAMES = 20
HEIGHT = 48
WIDTH = 64
TICK = Fraction(1, 90000)
STEADY = [3600 * i for i in range(NUM_FRAMES)]
YCGCO = 8  # as FFmpeg numbers colour spaces; swscale does not know this one


def same(pictures):
    return pictures


def _scene(height=HEIGHT, width=WIDTH):
    """Draw a large picture to pan over, soft enough for its colours to survive the halved resolution of YUV 4:2:0."""
    scene = draw(1, height + NUM_FRAMES, width + NUM_FRAMES).astype(float)
    for axis in (0, 1):
        scene = sum(np.roll(scene, shift, axis) for shift in range(-4, 5)) / 9
    return scene.astype(np.uint8)


def make_film(
    path, codec="libx264", audio=("aac",), times=STEADY, tick=TICK, size=(HEIGHT, WIDTH), prepare=None, **tags
):
    """Write a film of 20 frames and 0.8 s of a tone.

    Args:
      path: path of the film.
      codec: codec of the video.
      audio: codecs of the audio streams.
      times: time of each frame, in units of `tick`.
      tick: time base in seconds.
      size: (height, width) of the frames in pixels.
      prepare: function that changes the video stream before anything is written.
      tags: attributes to set on the codec and on each frame, such as colour spaces.
    """
    height, width = size
    scene = _scene(height, width)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, time_base=tick, width=width, height=height)
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.options = {"libx264": {"crf": "5"}, "ffv1": {}}.get(codec, {"b": "4M"})
        for name, value in tags.items():
            setattr(video.codec_context, name, value)
        video.codec_context.flags |= av.codec.context.Flags.frame_duration
        if prepare:
            prepare(video)
        sounds = [container.add_stream(name, rate=48000, layout="stereo") for name in audio]
        for sound, language in zip(sounds, ("deu", "fra"), strict=False):
            sound.metadata["language"] = language
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(scene[i : i + height, i : i + width]), "rgb24")
            for name, value in tags.items():
                setattr(frame, name, value)
            frame.pts = time
            frame.duration = round(Fraction(1, 25) / tick)
            frame.time_base = tick
            container.mux(video.encode(frame.reformat(format=video.pix_fmt)))
        container.mux(video.encode(None))
        for sound in sounds:
            add_tone(container, sound)
    return path


def write_film(path, pictures, codec="libx264", gop=12, rate=25, options=None, colorspace=None, is_tagged=True):
    """Write a film of these pictures, uint8 RGB [H, W, 3] each, at `rate` frames a second.

    Args:
      path: path of the film.
      pictures: the frames.
      codec: codec of the video.
      gop: distance of key frames.
      rate: number of frames in a second.
      options: more options of the codec.
      colorspace: matrix of the colours; None: FFmpeg's choice.
      is_tagged: whether the film says so.
    """
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate, width=width, height=height)
        video.pix_fmt = "yuv420p"
        video.gop_size = gop
        video.options = ({"crf": "8", "preset": "ultrafast"} if codec == "libx264" else {}) | (options or {})
        if colorspace and is_tagged:
            video.codec_context.colorspace = colorspace
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame.pts = i
            frame.time_base = Fraction(1, rate)
            encodable = frame.reformat(format="yuv420p", dst_colorspace=colorspace)
            if not is_tagged:
                encodable.colorspace = 2
            container.mux(video.encode(encodable))
        container.mux(video.encode(None))
    return path


def destroy(path, packets, share=1.0):
    """Write noise over the last share of some of a film's video packets."""
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for i, packet in enumerate(container.demux(video=0)):
            if i in packets:
                end = data.index(bytes(packet)) + packet.size
                size = round(packet.size * share)
                data[end - size : end] = np.random.default_rng(i).bytes(size)
    path.write_bytes(data)


def add_tone(container, stream):
    """Encode 0.8 s of a tone."""
    tone = (20000 * np.sin(np.arange(2 * 38400) / 20)).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(tone, "s16", "stereo")
    frame.sample_rate = 48000
    frame.pts = 0
    frame.time_base = Fraction(1, 48000)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=48000, frame_size=size)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def _rgb(frame):
    kinds = av.video.reformatter.Interpolation
    return frame.to_ndarray(format="rgb24", interpolation=kinds.BICUBIC | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INT)


class Seen:
    """The content of a film, read with PyAV alone.

    Attributes:
      video: the video stream.
      aspect: sample aspect ratio.
      rate: number of frames in a second, on average.
      codec: name of the video codec.
      languages: language of each audio stream.
      sound: (time, bytes) of each packet, for each audio stream.
      frames: decoded frames.
      times: time of each frame, in seconds.
      duration: duration of the video, in seconds.
      pictures: int RGB [N, H, W, 3].
    """

    def __init__(self, path):
        with av.open(str(path)) as container:
            self.video = container.streams.video[0]
            self.aspect = self.video.sample_aspect_ratio
            self.rate = self.video.average_rate
            self.codec = self.video.codec_context.codec.canonical_name
            self.languages = [stream.language for stream in container.streams.audio]
            self.sound = {stream.index: [] for stream in container.streams.audio}
            self.frames = []
            for packet in container.demux():
                if packet.stream.index in self.sound and packet.size:
                    self.sound[packet.stream.index].append((packet.pts * packet.time_base, bytes(packet)))
                elif packet.stream is self.video:
                    self.frames += packet.decode()
            self.times = [frame.pts * self.video.time_base for frame in self.frames]
            self.duration = self.video.duration and self.video.duration * self.video.time_base
        self.sound = list(self.sound.values())
        self.pictures = np.stack([_rgb(frame) for frame in self.frames]).astype(int)


def make_without_frames(path):
    with av.open(str(path), "w", format="matroska") as container:
        container.add_stream("libx264", rate=25, width=64, height=48)
        add_tone(container, container.add_stream("aac", rate=48000, layout="stereo"))


def make_all_broken(path):
    make_film(path, "mjpeg")
    destroy(path, set(range(NUM_FRAMES)))
