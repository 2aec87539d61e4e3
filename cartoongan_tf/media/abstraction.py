"""A classical cartoon of a photo: flat colours, few tones and dark lines, without a network.

It is made of the two filters that the paper cites and finds too weak by themselves: L0 smoothing ([35]) after a
bilateral filter, and lines after [33]. A generator can learn to draw like this, and learn an artist's hand from there.
"""

import dataclasses

import cv2
import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.media import flow_lines, palettes
from cartoongan_tf.media.l0_smoothing import l0_smooth

_INK = np.array([38, 28, 30], np.float32)  # RGB
_BILATERAL_PX = 7
_BILATERAL_LEVELS = 25  # differences of colour that count as texture
_BILATERAL_SIGMA_PX = 4
_FLOW_SIGMA_PX = 3
_L0_GROWTH = 4.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Abstraction(Config):
    """Parameters of `abstract`; lengths are in pixels of the picture that is drawn.

    The defaults were chosen by eye on 40 photos of 640 px, 12 of them faces: a cartoon at 320 px, with eyes and mouths.
    `texture_passes` and `flatness` were chosen again on 13 photos, so that clouds, hair and lips keep their shapes.
    """

    texture_passes: int = option(
        "Passes of a bilateral filter that remove texture, in an abstraction.", 6, at_least=0, at_most=20
    )
    flatness: float = option(
        "Strength of L0 smoothing in an abstraction (its authors' lambda): more merges more regions; 0: none.",
        0.002,
        at_least=0,
        at_most=1,
    )
    num_tones: int = option(
        "Steps of brightness between black and white in an abstraction; 0: all tones.", 7, at_least=0, at_most=255
    )
    tone_sharpness: float = option(
        "Sharpness of the borders between tones in an abstraction; 1: no borders.", 5.0, at_least=1, at_most=100
    )
    brightness_gamma: float = option(
        "Exponent of the brightness in an abstraction: below 1 is brighter.", 0.9, at_least=0.1, at_most=10
    )
    saturation: float = option("Factor of the saturation in an abstraction.", 1.35, at_least=0, at_most=10)
    line_width_px: float = option("Width of the lines in an abstraction, in pixels.", 3.6, at_least=0.6, at_most=40)
    line_length_px: float = option(
        "Length over which lines in an abstraction are smoothed along their edges, in pixels.",
        8.0,
        at_least=1,
        at_most=200,
    )
    line_threshold: float = option(
        "Contrast from which on lines in an abstraction are drawn, as a share of the range from black to white.",
        0.008,
        at_least=0,
        at_most=1,
    )
    line_softness: float = option(
        "Contrast between the faintest line and the darkest in an abstraction, likewise.", 0.015, above=0, at_most=1
    )
    line_strength: float = option("Opacity of the darkest line in an abstraction.", 0.95, at_least=0, at_most=1)
    palette_colors: int = option(
        "Number of main colours of the cartoons that an abstraction is drawn with; 0: the photo's own colours.",
        0,
        at_least=0,
        at_most=64,
    )
    palette_strength: float = option(
        "Share of the way that colours in an abstraction move towards the main colours of the cartoons.",
        0.6,
        at_least=0,
        at_most=1,
    )

    def check_colors(self, cartoons_dir: str) -> None:
        """Raise InputError if colours are to be those of cartoons, and there is no folder of cartoons."""
        if self.palette_colors and not cartoons_dir:
            raise InputError(
                "--abstraction_palette_colors: the colours are those of cartoons; name a folder of them by "
                "--cartoons_dir"
            )


DEFAULT = Abstraction()


def abstract(picture: np.ndarray, abstraction: Abstraction = DEFAULT, palette: np.ndarray | None = None) -> np.ndarray:
    """Draw a photo as flat colours with dark lines.

    Args:
      picture: uint8 RGB [H, W, 3].
      abstraction: the parameters.
      palette: colours to draw with, uint8 RGB [N, 3], as `palettes.find_palette` returns them; None: the photo's own.

    Returns:
      uint8 RGB [H, W, 3], always the same for a picture.
    """
    untextured = remove_texture(picture, abstraction.texture_passes)
    colors = untextured.astype(np.float32) / 255
    if abstraction.flatness:
        colors = np.clip(l0_smooth(colors, abstraction.flatness, _L0_GROWTH), 0, 1)
    colors = change_tones(colors, abstraction, palette)
    ink = abstraction.line_strength * draw_lines(untextured, abstraction)[..., np.newaxis]
    drawn = 255 * colors * (1 - ink) + _INK * ink
    return np.clip(drawn + 0.5, 0, 255).astype(np.uint8)


def remove_texture(picture: np.ndarray, passes: int) -> np.ndarray:
    """Smooth between edges, by bilateral filters one after the other (Winnemoeller et al. 2006): uint8 RGB."""
    for _ in range(passes):
        picture = cv2.bilateralFilter(picture, _BILATERAL_PX, _BILATERAL_LEVELS, _BILATERAL_SIGMA_PX)
    return picture


def change_tones(colors: np.ndarray, abstraction: Abstraction, palette: np.ndarray | None = None) -> np.ndarray:
    """Reduce brightness to a few tones with soft borders (Winnemoeller et al. 2006); raise brightness and saturation.

    Args:
      colors: float32 RGB [H, W, 3] in [0, 1].
      abstraction, palette: as for `abstract`.

    Returns:
      float32 RGB [H, W, 3] in [0, 1].
    """
    lab = cv2.cvtColor(np.ascontiguousarray(colors), cv2.COLOR_RGB2LAB)  # L in 0..100
    brightness = (lab[..., 0] / 100) ** abstraction.brightness_gamma
    if abstraction.num_tones:
        brightness = _quantize(brightness, abstraction.num_tones, abstraction.tone_sharpness)
    lab[..., 0] = 100 * brightness
    lab[..., 1:] = lab[..., 1:] * abstraction.saturation
    if palette is not None:
        lab = palettes.draw_towards(lab, palette, abstraction.palette_strength)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def _quantize(brightness: np.ndarray, num_tones: int, sharpness: float) -> np.ndarray:
    """Pull brightness, in [0, 1], towards multiples of 1 / num_tones; halfway between two of them it stays."""
    tone = brightness * num_tones
    nearest = np.round(tone)
    distance = tone - nearest  # at most a half
    return (nearest + 0.5 * np.sign(distance) * np.abs(2 * distance) ** sharpness) / num_tones


def draw_lines(picture: np.ndarray, abstraction: Abstraction) -> np.ndarray:
    """Draw lines on the dark side of edges, and on dark lines.

    Args:
      picture: uint8 RGB [H, W, 3].
      abstraction: the parameters.

    Returns:
      float32 [H, W] in [0, 1]: 1 on the darkest lines.
    """
    luminance = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) / 255
    tangents = flow_lines.edge_tangents(luminance, _FLOW_SIGMA_PX)
    difference = flow_lines.flow_difference_of_gaussians(
        luminance, tangents, abstraction.line_width_px / 2, abstraction.line_length_px / 2
    )
    return np.clip((-difference - abstraction.line_threshold) / abstraction.line_softness, 0, 1)
