import dataclasses

from cartoongan_tf.training.config import TrainConfig
from experiments import config, recipes
from experiments.baselines.cyclegan_config import CycleGANConfig, TrainCycleGANConfig


def test_the_papers_scale_is_the_authors_recipe_and_cyclegans_paper():
    scale = config.SCALES["paper"]
    assert not scale.recipe and not scale.own_recipes and not scale.cyclegan
    assert scale.generator == TrainConfig(data_dir="data", run_dir="run").generator == "paper"
    assert CycleGANConfig().epochs == TrainConfig(data_dir="data", run_dir="run").adversarial_epochs == 200


def test_recipes_are_flags_of_training_at_each_scale(tmp_path):
    for name, scale in config.SCALES.items():
        flags = config.ExperimentConfig(photos_dir="", cartoons_dir="", output_dir="", scale=name, seed=3)
        for generator in ("light", "paper"):
            recipe = recipes.cartoongan(flags, generator, tmp_path, tmp_path)
            expected = {"generator": generator, "seed": 3, **scale.recipe, **scale.own_recipes.get(generator, {})}
            assert expected.items() <= dataclasses.asdict(recipe).items(), name
            cyclegan = recipes.cyclegan(recipe, scale)
            assert isinstance(cyclegan, TrainCycleGANConfig) and cyclegan.generator == generator
    in_bfloat16 = dataclasses.replace(flags, mixed_precision="bfloat16")
    assert recipes.cartoongan(in_bfloat16, "light", tmp_path, tmp_path).mixed_precision == "bfloat16"
