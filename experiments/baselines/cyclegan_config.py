"""Flags of CycleGAN, with the defaults of its paper; see `cyclegan`."""

import dataclasses
from typing import Literal

from cartoongan_tf.base.options import Config, option, require


@dataclasses.dataclass(frozen=True)
class CycleGANConfig(Config):
    """Settings for CycleGAN; the defaults are its paper's, except for the networks, which are CartoonGAN's."""

    generator: Literal["paper", "light", "narrow"] = option("Architecture of both generators.", "paper")
    generator_width: int = option("Filters of the generators' first convolution.", 64, at_least=1)
    generator_num_blocks: int = option("Residual blocks of the generators.", 8, at_least=0)
    discriminator_width: int = option("Filters of the discriminators' first convolution.", 32, at_least=1)
    batch_size: int = option("Pictures of each kind in a step, over all GPUs together.", 1, at_least=1)
    cycle_weight: float = option("Weight of the cycle loss; its paper's lambda.", 10.0, at_least=0)
    identity_weight: float = option(
        "Weight of the identity loss, as a multiple of --cycle_weight; 0: no identity loss. Its paper uses 0.5 to turn "
        "paintings into photos, and none otherwise.",
        0.5,
        at_least=0,
    )
    pool_size: int = option(
        "Earlier pictures in each of the two pools; at least --batch_size, or 0: the discriminators see the latest "
        "pictures only.",
        50,
        at_least=0,
    )
    epochs: int = option("Passes over the photos.", 200, at_least=1)
    decay_epochs: int = option("Last epochs, in which the learning rate falls linearly to 0.", 100, at_least=0)
    learning_rate: float = option("Adam's learning rate, for all networks.", 2e-4, above=0)
    jit_compile: bool = option("Compile losses and gradients by XLA.", False)
    seed: int = option("Seed of initial weights, order, crops, flips and the pools.", 0, at_least=0, below=2**31)

    def __post_init__(self):
        super().__post_init__()
        pool_fits = self.pool_size == 0 or self.pool_size >= self.batch_size
        require(self, "pool_size", pool_fits, f"must be 0, or at least --batch_size={self.batch_size}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainCycleGANConfig(CycleGANConfig):
    """Settings for CycleGAN and for its run."""

    data_dir: str = option("Folder of training records, as data_pipeline.build_tfrecords writes it.")
    run_dir: str = option("Folder of the run; a run that exists there is resumed.")
    crop_size: int = option(
        "Train on crops of this many pixels; 0: on the records' pictures as they are.", 0, at_least=0
    )
    mixed_precision: Literal["auto", "off", "bfloat16"] = option("As in CartoonGAN's training.", "off")
    checkpoint_every_steps: int = option("Steps between checkpoints.", 1000, at_least=1)
