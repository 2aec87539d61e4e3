"""A film whose parts are known, to extract frames from, and functions that look at the result."""

import json

import cv2
import numpy as np

from data_pipeline import extract_frames
from tests.films import write_film
from tests.helpers import draw, title_card

HEIGHT = 120
WIDTH = 160
BAR = 20
RATE = 25


def scene(seed, num_frames=12):
    """Pan slowly over a drawing."""
    drawing = draw(seed, HEIGHT - 2 * BAR, WIDTH + num_frames)
    return [drawing[:, i : i + WIDTH] for i in range(num_frames)]


def _faded(frames, level, num_frames=5):
    """Let the frames fade in from `level`."""
    faded = []
    for i, frame in enumerate(frames):
        share = min(1, i / num_frames)
        faded.append((level + share * (frame.astype(float) - level)).astype(np.uint8))
    return faded


def _blurred(frames):
    return [cv2.GaussianBlur(frame, (0, 0), 4) for frame in frames]


def _with_bars(frames):
    return [np.pad(frame, ((BAR, BAR), (0, 0), (0, 0))) for frame in frames]


TITLE = [title_card("A FILM", 20, height=HEIGHT - 2 * BAR, width=WIDTH)] * 10
BLACK = [np.zeros((HEIGHT - 2 * BAR, WIDTH, 3), np.uint8)] * 6
PARTS = {  # each is a shot, except for the black between two
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
_LENGTHS = [len(part) for part in PARTS.values()]
STARTS = dict(zip(PARTS, (np.cumsum(_LENGTHS) - _LENGTHS).tolist(), strict=True))


def long_film(path):
    frames = [frame for part in PARTS.values() for frame in part]
    return write_film(path, _with_bars(frames))


def short_film(path, seed):
    """Write a film of two shots; films of other seeds have other shots."""
    return write_film(path, scene(20 + 2 * seed, 8) + scene(21 + 2 * seed, 8))


def run(*arguments, **flags):
    """Run extract_frames on all arguments but the last, which is the output folder; return the exit status."""
    *films, output = map(str, arguments)
    options = [f"--{name}={value}" for name, value in flags.items()]
    return extract_frames.main(["extract", f"--video={films[0]}", f"--output_dir={output}", *options, *films[1:]])


def frames_json(folder):
    return json.loads((folder / "frames.json").read_text())


def picture_names(folder):
    return sorted(path.name for path in folder.glob("*.*") if path.suffix in (".png", ".jpg"))


def contents(folder):
    """Read all files below a folder, by name; without analyses, whose archives contain the time."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".npz"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
