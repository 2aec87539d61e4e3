import numpy as np
import pytest

from cartoongan_tf import evaluation
from cartoongan_tf.evaluation import Row
from experiments import figures
from experiments.findings import compare
from tests.helpers import draw


def _row(name, values):
    return Row(name, None, {"edge_sharpness": np.array(values)}, None, {})


@pytest.mark.parametrize(
    "expected, shift, verdict",
    [
        ("more", 0.2, "agrees"),
        ("less", 0.2, "does not agree"),
        ("less", -0.2, "agrees"),
        ("more", 0.0, "undecided"),
        ("other", 0.2, "agrees"),
        ("other", 0.0, "undecided"),
    ],
)
def test_a_claim_is_held_against_the_difference_on_the_same_pictures(expected, shift, verdict):
    """The rows themselves vary by much more than the shift: resampled together, their difference does not."""
    rng = np.random.default_rng(0)
    common, noise = rng.normal(0.5, 1.0, 200), rng.normal(0, 0.01, 200)
    row, other = _row("a", common + noise + shift), _row("b", common)
    claim = compare("it is so", row, other, "edge_sharpness", expected)
    assert claim.verdict == verdict
    assert claim.text == "it is so" and claim.measured.startswith("sharpness of edges: a ")


def test_difference_by_hand():
    found = evaluation.difference(_row("a", [3.0, 4.0, 4.0]), _row("b", [1.0, 2.0, 2.0]), "edge_sharpness")
    assert found == pytest.approx((2.0, 2.0, 2.0))


def test_a_figure_has_a_column_for_each_way_and_close_ups_below():
    photo = np.full((60, 90, 3), 255, np.uint8)
    photo[40:60, 60:90] = draw(0, 20, 30)  # the only place with edges
    drawing = 255 - photo
    (upper, lower) = figures.with_close_ups([photo, drawing])
    assert upper[0] is photo
    assert lower[0].shape == (20, 20, 3) and lower[0].std() > 20
    np.testing.assert_array_equal(lower[1], 255 - lower[0])
    row = Row("way", None, {}, None, {0: drawing})
    sheet = figures.of_rows([photo], {"way": row}, close_ups=True)
    assert sheet.shape[0] > figures.of_rows([photo], {"way": row}).shape[0]
    assert sheet.shape[1] == 2 * 306 + 6
