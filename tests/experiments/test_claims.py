import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation import evaluator
from cartoongan_tf.evaluation.evaluator import Row
from cartoongan_tf.training.config import TrainConfig
from experiments import ablation, compare_methods, compare_single_image, content_weight, figures, initialization
from experiments.claims import compare
from experiments.runs import Run
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
    found = evaluator.difference(_row("a", [3.0, 4.0, 4.0]), _row("b", [1.0, 2.0, 2.0]), "edge_sharpness")
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


def _measured(name, kid, content, sharpness=0.5, edges=0.1, shift=5.0):
    names = ("kid_to_cartoons", "content_distance", "edge_sharpness", "edge_density", "color_shift")
    values = zip(names, (kid, content, sharpness, edges, shift), strict=True)
    return Row(name, None, {measure: np.full(20, value) for measure, value in values}, None, {})


def _verdicts(claims):
    return [claim.verdict for claim in claims]


def test_ablations_that_are_as_the_paper_has_them_agree():
    rows = {
        "without initialization": _measured("a", 3, 300),
        "l2": _measured("b", 3, 200),
        "without edge loss": _measured("c", 2, 200, sharpness=0.4, edges=0.05),
        "whole": _measured("d", 1, 200),
    }
    recipe = TrainConfig(data_dir="data", run_dir="run")
    assert _verdicts(ablation._claims(rows, recipe)) == ["agrees"] * 5
    light = TrainConfig(data_dir="data", run_dir="run", generator="light")
    assert _verdicts(ablation._claims(rows, light)) == ["agrees"] * 3
    backwards = dict(zip(rows, reversed(rows.values()), strict=True))
    assert "agrees" not in _verdicts(ablation._claims(backwards, recipe))


def test_methods_that_are_as_the_paper_has_them_agree():
    names = ("one", "all", "CycleGAN", "CycleGAN + identity", "CartoonGAN")
    figures_of = ((5, 200, 0.3), (4, 200, 0.3), (3, 400, 0.4), (3, 300, 0.4), (1, 200, 0.6))
    rows = {name: _measured(name, *values) for name, values in zip(names, figures_of, strict=True)}
    assert _verdicts(compare_methods._claims(rows)) == ["agrees"] * 10
    assert _verdicts(compare_single_image._claims(rows))[:4] == ["agrees"] * 4


def _trained(folder, data_dir, speeds):
    """A run on 7 photos, with curves of two phases."""
    with tf.summary.create_file_writer(str(folder / "summaries")).as_default():
        tf.summary.scalar("warmup/images_per_second", 1000.0, step=1)
        for step, speed in enumerate(speeds):
            tf.summary.scalar("adversarial/images_per_second", speed, step=step)
    (folder / "done").write_text('{"num_threads": 1}')
    return Run("cartoongan_tf.train", TrainConfig(data_dir=str(data_dir), run_dir=str(folder)), folder / "flags")


def test_times_are_those_of_the_last_phase_beside_the_papers(data_dir, tmp_path):
    speeds = {"CycleGAN": [0.7, 0.7, 0.1], "CycleGAN + identity": [0.7], "CartoonGAN": [1.2]}
    runs = {name: _trained(tmp_path / name, data_dir, values) for name, values in speeds.items()}
    assert runs["CycleGAN"].secs_per_epoch == pytest.approx(10)
    table = compare_methods._times(runs, {})
    assert table[2:5] == [
        "| CycleGAN | 10 | 0.58 | 0.66 | 200 | 8 | 1 |",
        "| CycleGAN + identity | 10 | 0.58 | 0.50 | 200 | 8 | 1 |",
        "| CartoonGAN | 6 | 1.00 | 1.00 | 200 | 8 | 1 |",
    ]
    with pytest.raises(InputError, match=r"curves are not there; remove .*elsewhere, and train anew"):
        Run("", TrainConfig(data_dir="", run_dir=str(tmp_path / "elsewhere")), tmp_path).curve("images_per_second")


def test_weights_and_starts_that_are_as_the_paper_has_them_agree():
    rows = [_measured(str(content), 1, content) for content in (300, 200, 100)]
    assert _verdicts(content_weight._claims(rows)) == ["agrees"] * 2
    starts = {
        "paper": {1: _measured("a", 1, 300, shift=30.0), 2: _measured("b", 1, 200, shift=30.0)},
        "pixels": {1: _measured("c", 1, 300, shift=9.0), 2: _measured("d", 1, 150, shift=9.0)},
    }
    assert _verdicts(initialization._claims(starts)) == ["agrees"] * 3
