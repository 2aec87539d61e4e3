"""Flicker of a cartoon where the film stands still, with and without the methods against it.

    python -m benchmarks.flicker --model=hayao.keras --film=clip.mp4 --output=flicker.md

A place stands still from one frame to the next if the film changes there by less than 2 of 255 levels, blurred over 3
pixels. The variance is the mean square of the cartoon's change there. In places that move, by more than 8 levels, the
PSNR compares each method with drawing every frame by itself.
"""

import dataclasses
import sys

import cv2
import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.inference import file_options
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import film_reader
from cartoongan_tf.media.image_measures import psnr

STILL_LEVELS = 2.0
MOVING_LEVELS = 8.0
NEIGHBOURHOOD_PX = 3.0
ALONE = "each frame by itself"
METHODS = {  # shares kept of the statistics, and of the drawing where the film stands still
    ALONE: (0.0, 0.0),
    "statistics averaged": (STEADINESS, 0.0),
    "still places kept": (0.0, STEADINESS),
    "both": (STEADINESS, STEADINESS),
    "both, --steadiness=0.97": (0.97, 0.97),
}


@dataclasses.dataclass(frozen=True)
class FlickerConfig(Config):
    model: str = option("A .keras file.")
    film: str = option("A film with places that stand still.")
    long_side: int = option("Shrink the frames to this longer side, in pixels.", 256, at_least=1)
    averaging: bool = option(
        "Measure the methods against flicker. With --noaveraging: only drawings of each frame by itself, as two models "
        "are compared by.",
        True,
    )
    max_frames: int = option("Number of frames, from the beginning of the film.", 60, at_least=0)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(FlickerConfig, _flicker, __doc__, argv)


def _flicker(config: FlickerConfig, _) -> None:
    frames = _read(config)
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer

    cartoonizer = Cartoonizer.load(config.model)
    change = _change(frames)
    still = change < STILL_LEVELS
    moving = change > MOVING_LEVELS
    table = [
        f"{len(frames)} frames of {frames.shape[2]}x{frames.shape[1]} pixels, {still.mean():.0%} of them still, "
        f"{moving.mean():.0%} moving.",
        "",
        "| | variance where still | change of the mean colour there | PSNR where moving, dB |",
        "| --- | --: | --: | --: |",
        _row("the film itself", frames, frames, still, moving),
    ]
    plain = None
    methods = METHODS if config.averaging else {ALONE: METHODS[ALONE]}
    for name, shares in methods.items():
        film = cartoonizer.film(*shares)
        cartoons = np.concatenate([film(frames[start : start + 4]) for start in range(0, len(frames), 4)])
        plain = cartoons if plain is None else plain  # the first method draws each frame by itself
        table.append(_row(name, cartoons, plain, still, moving))
        print(table[-1], flush=True)
    write_report("benchmarks.flicker", config, ("tensorflow", "scenedetect-headless", "av"), table, config.output)


def _read(config: FlickerConfig) -> np.ndarray:
    options = file_options.RenderOptions(config.long_side)
    frames: list[np.ndarray] = []
    with film_reader.opened(config.film) as reader:
        for batch in reader.batches(8):
            frames += [options.shrink(picture) for picture in batch.pictures]
            if len(frames) >= config.max_frames:
                break
    return np.stack(frames[: config.max_frames])


def _change(frames: np.ndarray) -> np.ndarray:
    """Return the change of each place from frame to frame, in levels: [N - 1, H, W]."""
    levels = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(-1)
    return np.stack([cv2.GaussianBlur(change, (0, 0), NEIGHBOURHOOD_PX) for change in levels])


def _row(name: str, cartoons: np.ndarray, plain: np.ndarray, still: np.ndarray, moving: np.ndarray) -> str:
    change = np.diff(cartoons.astype(np.float64), axis=0)
    variance = np.square(change)[still].mean()
    colour_changes = []
    for frame_change, is_still in zip(change, still, strict=True):
        if is_still.any():
            colour_changes.append(np.abs(frame_change[is_still].mean(0)).mean())
    score = psnr(cartoons[1:][moving], plain[1:][moving]) if moving.any() else np.inf
    score_text = f"{score:.1f}" if np.isfinite(score) else ""
    return f"| {name} | {variance:.2f} | {np.mean(colour_changes):.3f} | {score_text} |"


if __name__ == "__main__":
    sys.exit(main())
