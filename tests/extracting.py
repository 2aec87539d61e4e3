"""A film whose parts are known, to extract frames from, and ways to look at what came out."""

import json

import cv2
import numpy as np

from data_pipeline import extract_frames
from tests.films import write_film
from tests.helpers import draw, title_card

HEIGHT, WIDTH, BAR = 120, 160, 20
RATE = 25


def scene(seed, num_frames=12):
    """A drawing over which a slow pan goes."""
    scene = draw(seed, HEIGHT - 2 * BAR, WIDTH + num_frames)
    return [scene[:, i : i + WIDTH] for i in range(num_frames)]


def _faded(frames, level, num_frames=5):
    """The frames with a fade from `level` at the start."""
    shares = [min(1, i / num_frames) for i in range(len(frames))]
    return [
        (level + share * (frame.astype(float) - level)).astype(np.uint8)
        for frame, share in zip(frames, shares, strict=True)
    ]


def _blurred(frames):
    return [cv2.GaussianBlur(frame, (0, 0), 4) for frame in frames]


def _with_bars(frames):
    return [np.pad(frame, ((BAR, BAR), (0, 0), (0, 0))) for frame in frames]


TITLE = [title_card("A FILM", 20, height=HEIGHT - 2 * BAR, width=WIDTH)] * 10
BLACK = [np.zeros((HEIGHT - 2 * BAR, WIDTH, 3), np.uint8)] * 6
PARTS = {  # each a shot, apart from the black that stands between two
    "title": TITLE,
    "plain": scene(1),
    "begins blurred": _blurred(scene(2))[:6] + scene(2)[6:],
    "from black": BLACK + _faded(scene(3), 0),
    "from white": _faded(scene(4), 255),
    "blurred": _blurred(scene(5)),
    "repeated": scene(1),
    "last": scene(6),
}
TAKEN = ["plain", "begins blurred", "from black", "from white", "last"]
STARTS = dict(zip(PARTS, np.cumsum([0, *map(len, PARTS.values())]).tolist(), strict=False))


def long_film(path):
    return write_film(path, _with_bars([frame for part in PARTS.values() for frame in part]))


def short_film(path, seed):
    return write_film(path, [frame for shot in (0, 1) for frame in scene(20 + 2 * seed + shot, 8)])


def run(*arguments, **flags):
    *films, output = map(str, arguments)
    options = [f"--{name}={value}" for name, value in flags.items()]
    return extract_frames.main(["extract", f"--video={films[0]}", f"--output_dir={output}", *options, *films[1:]])


def frames_json(folder):
    return json.loads((folder / "frames.json").read_text())


def picture_names(folder):
    return sorted(path.name for path in folder.glob("*.*") if path.suffix in (".png", ".jpg"))


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".npz"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
