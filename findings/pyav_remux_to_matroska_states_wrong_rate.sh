#!/usr/bin/env bash
# Guess: a stream that PyAV copies from .mp4 into .mkv with add_stream_from_template has the frame rate that it had.
# What happens: if the stream counts time in fine units (1/90000 s, as films of phones and broadcasts do), the copy has no
# default duration, and 25 frames a second become 30000 in average_rate, whereas guessed_rate is right.
# For users: who copies sets the copy's codec_context.framerate before the first packet. Who reads takes the lower one of
# the two rates, as a number of frames that is worked out by average_rate is a thousand times too high.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet av==18.1.0 numpy==2.4.6
cat > remux.py <<'PYTHON'
import sys
from fractions import Fraction

import av
import numpy as np

with av.open("film.mp4", "w") as film:
    video = film.add_stream("libx264", rate=25, time_base=Fraction(1, 90000), width=64, height=48)
    video.pix_fmt = "yuv420p"
    for i in range(20):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * i, np.uint8))
        frame.pts = 3600 * i
        frame.time_base = Fraction(1, 90000)
        film.mux(video.encode(frame))
    film.mux(video.encode(None))
for name, framerate in (("film.mkv", None), ("right.mkv", 25)):
    with av.open("film.mp4") as film, av.open(name, "w") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        if framerate:
            stream.codec_context.framerate = framerate
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
rates = {}
for name in ("film.mp4", "film.mkv", "right.mkv"):
    with av.open(name) as film:
        video = film.streams.video[0]
        rates[name] = video.average_rate, video.guessed_rate
        print(f"{name}: average_rate {video.average_rate}, guessed_rate {video.guessed_rate}")
assert rates["film.mp4"] == rates["right.mkv"] == (25, 25)
sys.exit(0 if rates["film.mkv"][0] > 1000 and rates["film.mkv"][1] == 25 else "the rate is right now")
PYTHON
venv/bin/python remux.py
