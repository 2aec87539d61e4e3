import cv2
import numpy as np
import pytest

from cartoongan_tf.media import pictures
from data_pipeline.frames.key_frames import FrameChoiceConfig
from data_pipeline.frames.measures import ANALYSED_PX, is_text, measure, sharpness_of
from tests.helpers import draw, title_card

THRESHOLD = FrameChoiceConfig().min_sharpness
CREDITS = "Directed by Jane Miller\nMusic Hans Vogel\nInk and paint Maria Rossi\nBackgrounds Yuki Tanaka\n" * 3
CARDS = {"THE GREAT\nCARTOON": 50, "FIN": 60, "Episode 12\nThe long way home": 28, "a small remark": 12, CREDITS: 13}
COLORS = [("black", "white"), ("white", "black"), ("#203060", "#ffe060"), ("#88ccee", "#203040")]


def _grey(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _drawing(seed=0):
    return _grey(pictures.shrink(draw(seed, 540, 960), ANALYSED_PX))


BLURS = {
    "gaussian": lambda grey: cv2.GaussianBlur(grey, (0, 0), 1.6),
    "along x": lambda grey: cv2.blur(grey, (13, 1)),
    "along y": lambda grey: cv2.blur(grey, (1, 13)),
}


def test_blurred_drawings_lie_below_the_threshold_and_sharp_ones_above():
    for seed in range(4):
        grey = _drawing(seed)
        assert sharpness_of(grey) > 1.2 * THRESHOLD, seed
        for name, blur in BLURS.items():
            assert sharpness_of(blur(grey)) < THRESHOLD, (seed, name)


def test_sharpness_does_not_depend_on_contrast_or_on_the_number_of_edges():
    grey = _drawing()
    pale = (120 + grey / 4).round().astype(np.uint8)
    half_empty = np.hstack([grey, np.full_like(grey, grey[0, 0])])
    for other in (pale, half_empty):
        assert sharpness_of(other) == pytest.approx(sharpness_of(grey), rel=0.15)


def test_a_blank_frame_is_not_sharp():
    for grey in (np.zeros((40, 60), np.uint8), np.full((1, 1), 9, np.uint8)):
        assert sharpness_of(grey) == 0, grey.shape


def test_titles_and_credits_are_text():
    for text, px in CARDS.items():
        for colors in COLORS:
            assert is_text(title_card(text, px, colors)), (text, colors)


def _on_flat(drawing, color=(90, 160, 200)):
    """Draw a figure in the middle of a flat colour."""
    frame = np.full((270, 480, 3), color, np.uint8)
    height, width = drawing.shape[:2]
    frame[60 : 60 + height, 150 : 150 + width] = drawing
    return frame


def _face():
    frame = np.full((270, 480, 3), 250, np.uint8)
    cv2.circle(frame, (240, 135), 60, (20, 20, 20), 3)
    for x in (215, 265):
        cv2.circle(frame, (x, 120), 8, (20, 20, 20), -1)
    return frame


def _balls():
    frame = np.full((270, 480, 3), 40, np.uint8)
    for x in (120, 200, 280, 360):
        cv2.circle(frame, (x, 135), 18, (250, 200, 60), -1)
    return frame


def test_drawings_on_a_flat_background_are_no_text():
    frames = {
        "drawing": draw(1, 270, 480),
        "figure": _on_flat(draw(2, 150, 100)),
        "small figure": _on_flat(draw(3, 50, 40)),
        "face": _face(),
        "balls": _balls(),
        "blank": title_card("", 20),
        "one letter": title_card("!", 60),
    }
    for name, frame in frames.items():
        assert not is_text(frame), name


def test_brightness_and_contrast_are_those_of_the_grey_levels():
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[:20] = 100
    measures = measure(frame)
    assert (measures.brightness, measures.contrast) == (50, 50)
    assert not measures.is_text and 0 <= measures.hash < 2**256


@pytest.mark.slow
def test_calibration_on_real_drawings(assets):
    """The figures in the comments on the thresholds, on every fifth comic panel."""
    panels = sorted((assets / "cartoons" / "peppercarrot").glob("*.jpg"))[::5]
    for path in panels:
        picture = pictures.shrink(pictures.read_picture(path), ANALYSED_PX)
        grey = _grey(picture)
        assert sharpness_of(grey) > 0.95, path
        assert sharpness_of(BLURS["gaussian"](grey)) < THRESHOLD, path
        assert not is_text(picture), path
