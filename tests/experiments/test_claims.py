"""Claims, figures and times of the experiments, from rows and runs made up for the purpose."""

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.evaluation import rows
from cartoongan_tf.evaluation.rows import Row
from cartoongan_tf.training.config import TrainConfig
from experiments import ablation, compare_methods, compare_single_image, content_weight, figures, initialization, styles
from experiments.claims import compare
from experiments.runs import Run
from tests.helpers import draw


def _row(name, values):
    return Row(name, None, {"edge_sharpness": np.array(values)}, None, {})


def test_a_claim_is_tested_on_the_difference_of_paired_resamplings():
    """The rows themselves vary by much more than the shift; their difference does not."""
    rng = np.random.default_rng(0)
    common = rng.normal(0.5, 1.0, 200)
    noise = rng.normal(0, 0.01, 200)
    for expected, shift, verdict in (
        ("more", 0.2, "agrees"),
        ("less", 0.2, "does not agree"),
        ("more", -0.2, "does not agree"),
        ("less", -0.2, "agrees"),
        ("more", 0.0, "undecided"),
        ("other", 0.2, "agrees"),
        ("other", -0.2, "agrees"),
        ("other", 0.0, "undecided"),
    ):
        claim = compare("it is so", _row("a", common + noise + shift), _row("b", common), "edge_sharpness", expected)
        assert claim.verdict == verdict, (expected, shift)
        assert claim.text == "it is so" and claim.measured.startswith("sharpness of edges: a ")


def test_difference_by_hand():
    difference = rows.difference(_row("a", [3.0, 4.0, 4.0]), _row("b", [1.0, 2.0, 2.0]), "edge_sharpness")
    assert difference == pytest.approx((2.0, 2.0, 2.0))


def test_a_figure_has_a_column_for_each_method_and_close_ups_below():
    photo = np.full((60, 90, 3), 255, np.uint8)
    photo[40:60, 60:90] = draw(0, 20, 30)  # the only place with edges
    drawing = 255 - photo
    upper, lower = figures.with_close_ups([photo, drawing])
    assert upper[0] is photo
    assert lower[0].shape == (20, 20, 3) and lower[0].std() > 20
    np.testing.assert_array_equal(lower[1], 255 - lower[0])
    row = Row("method", None, {}, None, {0: drawing})
    sheet = figures.of_rows([photo], {"method": row}, close_ups=True)
    assert sheet.shape[0] > figures.of_rows([photo], {"method": row}).shape[0]
    assert sheet.shape[1] == 2 * 306 + 6


def _measured(name, kid, content, sharpness=0.5, edges=0.1, shift=5.0):
    values = {
        "kid_to_cartoons": kid,
        "content_distance": content,
        "edge_sharpness": sharpness,
        "edge_density": edges,
        "color_shift": shift,
    }
    return Row(name, None, {measure: np.full(20, value) for measure, value in values.items()}, None, {})


def _verdicts(claims):
    return [claim.verdict for claim in claims]


def test_ablation_agrees_if_each_part_helps():
    variants = {
        "without initialization": _measured("a", 3, 300),
        "l2": _measured("b", 3, 200),
        "without edge loss": _measured("c", 2, 200, sharpness=0.4, edges=0.05),
        "complete": _measured("d", 1, 200),
    }
    recipe = TrainConfig(data_dir="data", run_dir="run")
    assert _verdicts(ablation.paper_claims(variants, recipe)) == ["agrees"] * 5
    light = TrainConfig(data_dir="data", run_dir="run", generator="light")
    assert _verdicts(ablation.paper_claims(variants, light)) == ["agrees"] * 3
    backwards = dict(zip(variants, reversed(variants.values()), strict=True))
    assert "agrees" not in _verdicts(ablation.paper_claims(backwards, recipe))


def test_comparisons_agree_if_cartoongan_is_best():
    methods = {
        "one": _measured("one", 5, 300, 0.3),
        "all": _measured("all", 4, 300, 0.3),
        "CycleGAN": _measured("CycleGAN", 3, 400, 0.4),
        "CycleGAN + identity": _measured("CycleGAN + identity", 3, 300, 0.4),
        "CartoonGAN": _measured("CartoonGAN", 1, 200, 0.6),
    }
    assert _verdicts(compare_methods.paper_claims(methods)) == ["agrees"] * 10
    assert _verdicts(compare_single_image.paper_claims(methods)) == ["agrees"] * 8


def test_content_weights_agree_if_larger_ones_keep_more():
    weights = [_measured(str(content), 1, content) for content in (300, 200, 100)]
    assert _verdicts(content_weight.paper_claims(weights)) == ["agrees"] * 2


def test_initialization_agrees_if_content_and_colours_come_nearer():
    starts = {
        "paper": {1: _measured("a", 1, 300, shift=30.0), 2: _measured("b", 1, 200, shift=30.0)},
        "pixels": {1: _measured("c", 1, 300, shift=9.0), 2: _measured("d", 1, 150, shift=9.0)},
    }
    assert _verdicts(initialization.paper_claims(starts)) == ["agrees"] * 3


def test_styles_agree_if_their_colours_differ():
    bundled = [_measured("a", 1, 1, shift=5.0), _measured("b", 1, 1, shift=6.0), _measured("c", 1, 1, shift=5.0)]
    assert _verdicts(styles.paper_claims(bundled)) == ["agrees", "undecided"]


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
    table = compare_methods.times_table(runs, {})
    assert table[2:5] == [
        "| CycleGAN | 10 | 0.58 | 0.66 | 200 | 8 | 1 |",
        "| CycleGAN + identity | 10 | 0.58 | 0.50 | 200 | 8 | 1 |",
        "| CartoonGAN | 6 | 1.00 | 1.00 | 200 | 8 | 1 |",
    ]
    with pytest.raises(InputError, match="elsewhere"):
        Run("", TrainConfig(data_dir="", run_dir=str(tmp_path / "elsewhere")), tmp_path).curve("images_per_second")
