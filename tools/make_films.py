"""Films of many kinds, made by FFmpeg, as a collection for tools/corpora.py.

    python tools/make_films.py --output=collections/generated --num_films=200

Each is a second of a moving test pattern in a random combination of codec, container, format of pixels, frame rate,
field order, rotation, colour tags and other tracks; the same seed gives the same films. Combinations that this FFmpeg
cannot write are left out, so that there may be fewer.
"""

import argparse
import random
import subprocess
from pathlib import Path
from typing import NamedTuple


class Codec(NamedTuple):
    """An encoder with the containers and the formats of pixels that it goes with."""

    name: str
    suffixes: tuple[str, ...]
    pixel_formats: tuple[str, ...]
    options: tuple[str, ...] = ()


CODECS = (
    Codec("libx264", (".mp4", ".mov", ".mkv", ".ts", ".flv", ".avi"), ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le")),
    Codec("libx265", (".mp4", ".mkv", ".ts"), ("yuv420p", "yuv420p10le", "yuv444p"), ("-x265-params", "log-level=0")),
    Codec("mpeg2video", (".mpg", ".ts", ".vob", ".mxf", ".mkv"), ("yuv420p", "yuv422p"), ("-b:v", "4M")),
    Codec("mpeg4", (".avi", ".mp4", ".mkv", ".3gp"), ("yuv420p",), ("-q:v", "3")),
    Codec("libvpx", (".webm", ".mkv"), ("yuv420p", "yuva420p"), ("-b:v", "1M", "-auto-alt-ref", "0")),
    Codec("libvpx-vp9", (".webm", ".mkv", ".mp4"), ("yuv420p", "yuva420p", "yuv444p"), ("-b:v", "1M")),
    Codec("mjpeg", (".avi", ".mov", ".mkv"), ("yuvj420p", "yuvj422p", "yuvj444p"), ("-q:v", "3")),
    Codec("prores_ks", (".mov", ".mkv"), ("yuv422p10le", "yuva444p10le")),
    Codec("ffv1", (".mkv", ".avi"), ("yuv420p", "bgr0", "gray", "yuv444p16le")),
    Codec("qtrle", (".mov",), ("rgb24", "argb")),
    Codec("png", (".mov", ".mkv"), ("rgb24", "rgba")),
    Codec("wmv2", (".wmv", ".asf"), ("yuv420p",), ("-b:v", "2M")),
    Codec("flv1", (".flv",), ("yuv420p",), ("-b:v", "2M")),
    Codec("libtheora", (".ogv",), ("yuv420p",), ("-b:v", "2M")),
)
SIZES = ("64x48", "177x131", "320x240", "720x576", "1280x72")
RATES = ("5", "24000/1001", "25", "30000/1001", "50", "60")
FIELD_ORDERS = {
    "progressive": "null",
    "top first": "tinterlace=interleave_top",
    "bottom first": "tinterlace=interleave_bottom",
}
ROTATIONS = ("0", "0", "90", "180", "270")
COLOR_TAGS = {
    "none": (),
    "bt709": ("bt709",) * 3,
    "bt601": ("smpte170m",) * 3,
    "pq": ("bt2020nc", "bt2020", "smpte2084"),
}
SOUNDS = {
    "none": (),
    "aac": ("-c:a", "aac"),
    "mp3": ("-c:a", "libmp3lame"),
    "ac3": ("-c:a", "ac3"),
    "pcm": ("-c:a", "pcm_s16le"),
    "adpcm": ("-c:a", "adpcm_ms"),
    "wma": ("-c:a", "wmav2"),
    "opus": ("-c:a", "libopus", "-ar", "48000"),
    "mulaw": ("-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"),
}  # fmt: skip
SUBTITLES = "1\n00:00:00,100 --> 00:00:00,900\nHello\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the films")
    parser.add_argument("--num_films", type=int, default=200, help="number of combinations to try")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    subtitles = options.output / "subtitles.srt"
    subtitles.write_text(SUBTITLES)
    rng = random.Random(options.seed)
    num_made = sum(make_film(rng, options.output / f"{index:03}", subtitles) for index in range(options.num_films))
    subtitles.unlink()
    print(f"{num_made} of {options.num_films} films are in {options.output}")


def make_film(rng: random.Random, stem: Path, subtitles: Path) -> bool:
    """Make a film of a random combination; return whether FFmpeg can write it."""
    codec = rng.choice(CODECS)
    pixel_format = rng.choice(codec.pixel_formats)
    field_order = rng.choice(list(FIELD_ORDERS))
    tags = rng.choice(list(COLOR_TAGS))
    sound = rng.choice(list(SOUNDS))
    suffix = rng.choice(codec.suffixes)
    has_subtitles = suffix == ".mkv" and rng.random() < 0.5
    kinds = (stem.name, codec.name, pixel_format, field_order, tags, sound)
    path = stem.with_name(f"{'-'.join(kinds)}{suffix}")
    command = ["ffmpeg", "-y", "-v", "error", "-f", "lavfi"]
    command += ["-i", f"testsrc2=size={rng.choice(SIZES)}:rate={rng.choice(RATES)}:duration=1"]
    if sound != "none":
        command += ["-f", "lavfi", "-i", "sine=440:duration=1"]
    if has_subtitles:
        command += ["-i", str(subtitles), "-c:s", "srt"]
    command += ["-vf", f"{FIELD_ORDERS[field_order]},format={pixel_format}", "-c:v", codec.name, *codec.options]
    command += ["-metadata:s:v", f"rotate={rng.choice(ROTATIONS)}", *SOUNDS[sound]]
    if COLOR_TAGS[tags]:
        matrix, primaries, transfer = COLOR_TAGS[tags]
        command += ["-colorspace", matrix, "-color_primaries", primaries, "-color_trc", transfer]
    result = subprocess.run([*command, str(path)], capture_output=True)
    if result.returncode:
        path.unlink(missing_ok=True)
    return result.returncode == 0


if __name__ == "__main__":
    main()
