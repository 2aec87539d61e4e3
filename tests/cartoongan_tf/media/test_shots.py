import numpy as np
import pytest

from cartoongan_tf.media.shots import CutDetector
from tests.helpers import draw


def _clip(seed, num_frames=8):
    """A drawing past which another one moves, with grain."""
    rng = np.random.default_rng(seed)
    frames = np.stack([draw(seed, 48, 64)] * num_frames).astype(np.float64)
    for index in range(num_frames):
        frames[index, 24:, 5 * index : 5 * index + 20] = draw(seed + 9, 24, 20)
    return (frames + rng.normal(0, 2, frames.shape)).clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", [1, 8])
def test_cuts_are_found_and_motion_is_none(size):
    clip = np.concatenate([_clip(0), 255 - _clip(0)[..., ::-1], _clip(1)])
    clip = clip.repeat(size, 1).repeat(size, 2)
    detector = CutDetector()
    assert [index for index, frame in enumerate(clip) if detector.is_cut(frame)] == [0, 8, 16]
