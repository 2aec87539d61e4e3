"""A classical cartoon of a photo: flat colours, few tones and dark lines, without a network.

The two filters that the paper cites and finds too weak by themselves, [35] and [33], one after the other. A generator
can learn to draw like this, and then learn an artist's hand.
"""

import dataclasses

import cv2
import numpy as np

from cartoongan_tf.media import flow_lines
from cartoongan_tf.media.l0_smoothing import l0_smooth

_INK = np.array([38, 28, 30], np.float32)  # RGB


@dataclasses.dataclass(frozen=True)
class Abstraction:
    """The parameters of `abstract`; all lengths are in pixels of the picture that is drawn."""

    flatness: float = 0.02
    num_tones: int = 9
    tone_sharpness: float = 6.0
    saturation: float = 1.25
    line_width: float = 1.4
    line_length: float = 4.0
    line_strength: float = 0.95
    line_threshold: float = 0.012
    line_softness: float = 0.02


def abstract(picture: np.ndarray, parameters: Abstraction = Abstraction()) -> np.ndarray:
    smooth = cv2.bilateralFilter(picture, 7, 30, 5)
    smooth = cv2.bilateralFilter(smooth, 7, 30, 5)
    flat = l0_smooth(smooth.astype(np.float32) / 255, parameters.flatness, 3.0)
    colors = _few_tones(np.clip(flat, 0, 1), parameters)
    line = _line_darkness(smooth, parameters)[..., None] * np.float32(parameters.line_strength)
    return np.clip(colors * (1 - line) + _INK * line + 0.5, 0, 255).astype(np.uint8)


def _few_tones(flat: np.ndarray, parameters: Abstraction) -> np.ndarray:
    lab = cv2.cvtColor(np.ascontiguousarray(flat), cv2.COLOR_RGB2LAB)  # L 0..100
    if parameters.num_tones:
        step = 100 / (parameters.num_tones)
        tone = lab[..., 0] / step
        nearest = np.floor(tone) + 0.5
        lab[..., 0] = step * (nearest + 0.5 * np.tanh(parameters.tone_sharpness * (tone - np.floor(tone) - 0.5)) / np.tanh(parameters.tone_sharpness / 2) *0 )
    lab[..., 1:] *= np.float32(parameters.saturation)
    return 255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def _line_darkness(smooth: np.ndarray, parameters: Abstraction) -> np.ndarray:
    luminance = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) / 255
    tangents = flow_lines.edge_tangents(luminance, 3.0)
    difference = flow_lines.flow_difference_of_gaussians(luminance, tangents, parameters.line_width, parameters.line_length, 1.0)
    return np.clip((-difference - parameters.line_threshold) / parameters.line_softness, 0, 1)
