import keras
import numpy as np
import pytest

from benchmarks import train_step as benchmark
from tests.helpers import table_rows

SIZES = {"generator_width": 4, "generator_num_blocks": 1, "discriminator_width": 4, "image_size": 32, "rounds": 1}
FLAGS = [f"--{name}={value}" for name, value in SIZES.items()]


@pytest.mark.slow
def test_the_slower_variant_learns_the_same():
    """VGG19 on both pictures at once: the same losses, and the same gradients."""
    from benchmarks import train_step_works
    from cartoongan_tf.training import networks, schedule, steps
    from cartoongan_tf.training.config import TrainConfig

    sizes = {"generator_width": 4, "generator_num_blocks": 1, "discriminator_width": 4, "batch_size": 2}
    recipe = TrainConfig("", "", "random", crop_size=32, pool_size=0, content_weight=0.3, **sizes)
    batch = train_step_works.random_batch(recipe)

    def run(step):
        keras.utils.set_random_seed(0)
        return step(networks.build_networks(recipe, schedule.plan(recipe, 10), 32), batch, recipe)

    plain = run(steps.adversarial_step)
    together = run(train_step_works.features_together_step)
    assert set(together) == set(plain)
    for name, value in plain.items():
        np.testing.assert_allclose(together[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_every_part_runs():
    from benchmarks import train_step_works

    recipe = benchmark.recipe_of(benchmark.TrainStepConfig(**SIZES))
    for name, work in train_step_works.WORKS["parts"].items():
        assert train_step_works.build(work, recipe)(work.steps_per_call) > 0, name


@pytest.mark.slow
def test_the_table_of_methods(tmp_path):
    output = tmp_path / "tables.md"
    assert benchmark.main(["x", *FLAGS, "--tables=methods", f"--output={output}"]) == 0
    rows = table_rows(output)
    assert rows["method"]
    for name, (paper, goal) in benchmark.GOALS.items():
        secs, ratio, extent, *targets, peak_mb = rows[name]
        assert float(secs) > 0 and float(ratio) > 0 and float(peak_mb.replace(",", "")) > 0
        assert extent == f"{ratio} to {ratio}"  # of one round
        assert [float(target) for target in targets] == [paper, goal]


def test_flags_that_cannot_be_used(capsys):
    for flag in ("--image_size=30", "--batch_size=51", "--tables=all"):
        assert benchmark.main(["x", flag]) == 2, flag
        assert flag in capsys.readouterr().err
