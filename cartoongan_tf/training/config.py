"""Training's options: the one owner of their defaults, which are the recipe of the authors' own code.

docs/paper_map.md compares that recipe with the paper's text; configs/paper.flags is the paper to the letter.
"""

import dataclasses
from typing import Literal

from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.models.architectures import GENERATOR_SIZES

# What a run that has begun cannot change: its networks, what its checkpoints hold, and where its phases end.
FIXED_FLAGS = (
    "generator",
    "generator_width",
    "generator_num_blocks",
    "discriminator_width",
    "pool_size",
    "crop_size",
    "ema_decay",
    "batch_size",
    "initialization_epochs",
    "discriminator_warmup_steps",
)


@dataclasses.dataclass(frozen=True)
class TrainConfig(Config):
    data_dir: str = option("Folder of training records, as data_pipeline.build_tfrecords writes it.")
    run_dir: str = option("Folder of the run: generator.keras, samples, checkpoints, curves. A run there goes on.")
    vgg19_weights: str = option(
        "VGG19 for the content loss: imagenet (fetched once, 80 MB), a weights file's path, or random (trials only).",
        "imagenet",
    )

    initial_generator: str = option(
        "A generator.keras, or a style's name, to start from, of the same size as the one to train: fine-tunes it, "
        "without initialization.",
        "",
    )
    generator: Literal["paper", "light"] = option(
        "Architecture of the generator: the paper's, or one of a tenth of its cost, for phones, films and training on "
        "small machines (docs/light_generator.md).",
        "paper",
    )
    generator_width: int = option(
        "Filters of the generator's first convolution; 0: the architecture's own, 64 in the paper.", 0, at_least=0
    )
    generator_num_blocks: int = option(
        "Residual blocks of the generator; 0: the architecture's own, 8 in the paper.", 0, at_least=0
    )
    discriminator_width: int = option(
        "Filters of the discriminator's first convolution; 32 is the paper's.", 32, at_least=1
    )

    batch_size: int = option("Pictures in a step, over all GPUs together.", 8, at_least=1)
    crop_size: int = option(
        "Train on squares of so many pixels, cut at random places out of the records' pictures; a multiple of 4. "
        "0: on all of each picture.",
        0,
        at_least=0,
    )
    initialization_epochs: int = option(
        "Passes over the photos with the content loss alone (section 3.3).", 20, at_least=0
    )
    initialization_decay_epochs: int = option(
        "How many of them (at most all), at their end, let the learning rate fall linearly to 0.", 10, at_least=0
    )
    discriminator_warmup_steps: int = option(
        "Steps of the discriminator alone, on photos as what it must tell from cartoons, between initialization and "
        "adversarial training; not in the paper.",
        0,
        at_least=0,
    )
    adversarial_epochs: int = option(
        "Passes over the photos with both losses, after the initialization.", 200, at_least=0
    )
    adversarial_decay_epochs: int = option(
        "How many of them (at most all), at their end, let the learning rates fall linearly to 0; 0: constant rates.",
        100,
        at_least=0,
    )
    initialization_learning_rate: float = option("Adam's, for the generator during the initialization.", 2e-4, above=0)
    discriminator_warmup_learning_rate: float = option("Adam's, constant, for the warm-up.", 2e-4, above=0)
    generator_learning_rate: float = option("Adam's, for the generator during adversarial training.", 1e-5, above=0)
    discriminator_learning_rate: float = option("Adam's, for the discriminator.", 1e-5, above=0)

    adversarial_loss: Literal["log", "least_squares", "hinge"] = option(
        "log is equation (3) of the paper, least_squares is what the authors' code trains with.",
        "least_squares",
    )
    edge_loss_weight: float = option(
        "Weight of the edge-smoothed cartoons in the discriminator's loss.", 1.0, at_least=0
    )
    content_loss: Literal["l1", "l2"] = option("Distance of VGG19 features; l1 is the paper's.", "l1")
    content_weight: float = option(
        "The paper's omega: larger keeps more of the photo. With Caffe-scaled features 6.2e-4 is what the authors' "
        "code amounts to; the paper's 10 gives the photo back.",
        6.2e-4,
        at_least=0,
    )
    color_weight: float = option(
        "Weight of a term that keeps the photo's colours (mean absolute difference of chroma), in adversarial "
        "training; not in the paper. 0: off.",
        0.0,
        at_least=0,
    )
    pool_size: int = option(
        "Earlier generated pictures that the discriminator is shown half of the time, as in the authors' code; at "
        "least --batch_size, or 0: it sees the latest ones only.",
        50,
        at_least=0,
    )
    ema_decay: float = option(
        "Keep an exponential moving average of the generator's weights with this decay, 0.999 say, and write that one "
        "to generator.keras; not in the paper. 0: off.",
        0.0,
        at_least=0,
        below=1,
    )
    initialization_loss: Literal["content", "pixels"] = option(
        "What initialization compares: content (VGG19 features) is the paper's; pixels is faster (needs no "
        "VGG19) and keeps colours, for short runs.",
        "content",
    )

    strategy: Literal["one", "mirrored", "multi_worker"] = option(
        "Devices that share each batch: one GPU (or the CPU), all GPUs of this machine, or those of several machines, "
        "which the environment variable TF_CONFIG names.",
        "mirrored",
    )
    mixed_precision: Literal["auto", "off", "bfloat16"] = option(
        "bfloat16: compute in it where that is safe; what is saved stays float32. auto: do so where the processor or "
        "the GPUs have instructions for it (NVIDIA's from A100 on); elsewhere it is many times slower. off: float32.",
        "off",
    )
    jit_compile: bool = option("Compile losses and gradients by XLA: a slow first step, then faster ones.", False)
    steps_per_call: int = option(
        "Steps in one call of TensorFlow: more of them save time where steps are short, on small networks.",
        1,
        at_least=1,
    )

    checkpoint_every_steps: int = option(
        "Steps between checkpoints, each with generator.keras and samples.", 1000, at_least=1
    )
    keep_checkpoints: int = option("Checkpoints to keep, the newest ones.", 3, at_least=1)
    keep_every_steps: int = option(
        "Keep the checkpoints of multiples of so many steps as well, for good; a multiple of --checkpoint_every_steps. "
        "0: none.",
        0,
        at_least=0,
    )
    summary_every_steps: int = option("Steps between points of TensorBoard's curves.", 50, at_least=1)
    num_samples: int = option("Photos in the picture of samples.", 6, at_least=1)
    validation_batches: int = option(
        "Batches of held-out pictures (build_tfrecords --validation_fraction) to take the losses of at each "
        "checkpoint. 0: none.",
        8,
        at_least=0,
    )
    deterministic: bool = option(
        "Choose slower operations that give the same bits each time: runs with equal flags on equal machines end with "
        "equal weights, whether they were cut off or not.",
        False,
    )
    seed: int = option("Of initial weights, order, crops, flips and the pool.", 0, at_least=0, below=2**31)
    dry_run: bool = option(
        "Do not train: show all flags, check data, VGG19, disk and memory, try each phase's step, and tell how long it "
        "will take.",
        False,
    )

    def __post_init__(self):
        super().__post_init__()
        require(
            self,
            "keep_every_steps",
            self.keep_every_steps % self.checkpoint_every_steps == 0,
            "must be a multiple of --checkpoint_every_steps",
        )
        require(
            self,
            "crop_size",
            self.crop_size == 0 or (self.crop_size >= 32 and self.crop_size % 4 == 0),
            "must be 0, or a multiple of 4 from 32 up",
        )
        require(
            self,
            "pool_size",
            self.pool_size == 0 or self.pool_size >= self.batch_size,
            f"must be 0, or at least --batch_size={self.batch_size}",
        )
        self._fill_in()
        require(
            self,
            "adversarial_epochs",
            self.initialization_epochs + self.adversarial_epochs > 0,
            "with --initialization_epochs=0 too there is nothing to train",
        )

    def _fill_in(self) -> None:
        """Set the flags that follow from others: a generator's own size, and no initialization of a trained one."""
        width, num_blocks = GENERATOR_SIZES.get(self.generator, (0, 0))
        object.__setattr__(self, "generator_width", self.generator_width or width)
        object.__setattr__(self, "generator_num_blocks", self.generator_num_blocks or num_blocks)
        if self.initial_generator:
            object.__setattr__(self, "initialization_epochs", 0)
