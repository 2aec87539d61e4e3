"""The options of training. Their defaults are the recipe of the authors' own code.

docs/paper_map.md compares that recipe with the paper's text; configs/paper.flags is the paper to the letter.
"""

import dataclasses
from typing import Literal

from cartoongan_tf.base.options import option, require
from cartoongan_tf.training.networks_config import NetworksConfig, fixed_option, is_fixed


@dataclasses.dataclass(frozen=True)
class TrainConfig(NetworksConfig):
    batch_size: int = fixed_option("Pictures in a step, over all GPUs together.", 8, at_least=1)
    crop_size: int = fixed_option(
        "Side in pixels of the squares to train on, cut at random places out of the records' pictures; a multiple of "
        "4. 0: train on complete pictures.",
        0,
        at_least=0,
    )
    initialization_epochs: int = fixed_option(
        "Passes over the photos with the content loss alone (section 3.3).", 20, at_least=0
    )
    initialization_decay_epochs: int = option(
        "The last passes of the initialization, over which the learning rate falls linearly to 0; at most all of them.",
        10,
        at_least=0,
    )
    discriminator_warmup_steps: int = fixed_option(
        "Steps in which the discriminator alone learns to distinguish cartoons from photos, between initialization and "
        "adversarial training; not in the paper.",
        0,
        at_least=0,
    )
    adversarial_epochs: int = option(
        "Passes over the photos with both losses, after the initialization.", 200, at_least=0
    )
    adversarial_decay_epochs: int = option(
        "The last passes of adversarial training, over which the learning rates fall linearly to 0; at most all of "
        "them. 0: constant rates.",
        100,
        at_least=0,
    )
    initialization_learning_rate: float = option(
        "Adam's learning rate for the generator during the initialization.", 2e-4, above=0
    )
    discriminator_warmup_learning_rate: float = option(
        "Adam's learning rate for the warm-up; it is constant.", 2e-4, above=0
    )
    generator_learning_rate: float = option(
        "Adam's learning rate for the generator during adversarial training.", 1e-5, above=0
    )
    discriminator_learning_rate: float = option("Adam's learning rate for the discriminator.", 1e-5, above=0)
    update_clipping: float = option(
        "Size of the generator's gradients, as a multiple of their usual size, above which Adam takes smaller steps. 1 "
        "lets a generator without norms learn at high rates. Not in the paper. 0: off.",
        0.0,
        at_least=0,
    )

    adversarial_loss: Literal["log", "least_squares", "hinge"] = option(
        "Adversarial loss: log is equation (3) of the paper, least_squares is that of the authors' code, hinge is in "
        "neither.",
        "least_squares",
    )
    edge_loss_weight: float = option(
        "Weight of the edge-smoothed cartoons in the discriminator's loss.", 1.0, at_least=0
    )
    content_loss: Literal["l1", "l2"] = option("Distance of VGG19 features; l1 is the paper's.", "l1")
    content_weight: float = option(
        "The paper's omega: a larger one keeps more of the photo. 6.2e-4, with Caffe-scaled VGG19 features, is "
        "equivalent to the authors' code; the paper's 10 returns the photo.",
        6.2e-4,
        at_least=0,
    )
    content_target: Literal["photo", "drawing"] = option(
        "Picture whose content and colours adversarial training keeps: the photo (the paper's), or a teacher's drawing "
        "of it, for a generator that begins as the teacher.",
        "photo",
    )
    color_weight: float = option(
        "Weight of a loss that keeps the photo's colours (mean absolute difference of chroma) in adversarial training; "
        "not in the paper. 0: off.",
        0.0,
        at_least=0,
    )
    face_weight: float = option(
        "Weight of faces against the rest of a photo in the content and teacher losses; build_tfrecords --faces finds "
        "them. Not in the paper. 1: faces count like everything.",
        1.0,
        at_least=1,
    )
    stability_weight: float = option(
        "Weight of a loss against flicker: a photo that moves by a few pixels, with a little noise and other "
        "brightness, must give the same drawing, moved alike. Costs another pass of the generator; not in the paper. "
        "0: off.",
        0.0,
        at_least=0,
    )
    discriminator_augmentation: Literal["off", "geometry", "all"] = option(
        "Random changes of all pictures that the discriminator sees, against learning few cartoons by heart: geometry "
        "moves pictures and cuts squares out, all changes their colours too. Not in the paper.",
        "off",
    )
    pool_size: int = fixed_option(
        "Number of earlier generated pictures that are kept and shown to the discriminator half of the time, as in the "
        "authors' code; at least --batch_size. 0: the discriminator sees the latest pictures only.",
        50,
        at_least=0,
    )
    ema_decay: float = fixed_option(
        "Decay of a moving average of the generator's weights, for example 0.999; generator.keras holds the averaged "
        "weights. Not in the paper. 0: off.",
        0.0,
        at_least=0,
        below=1,
    )
    initialization_loss: Literal["content", "pixels", "teacher"] = option(
        "Loss of the initialization: content (VGG19 features) is the paper's; pixels is faster (needs no VGG19) and "
        "keeps colours, for short runs; teacher learns the drawings that build_tfrecords --teacher made of the photos.",
        "content",
    )
    teacher_gradient_weight: float = option(
        "Weight of edges against pixels in --initialization_loss=teacher; not in the paper.", 0.5, at_least=0
    )
    teacher_content_weight: float = option(
        "Weight of VGG19 features against pixels in --initialization_loss=teacher; not in the paper. 0: off, and needs "
        "no VGG19.",
        0.0,
        at_least=0,
    )

    strategy: Literal["one", "mirrored", "multi_worker"] = option(
        "Devices that share each batch: one GPU (or the CPU), all GPUs of this machine, or those of several machines, "
        "which the environment variable TF_CONFIG names.",
        "mirrored",
    )
    mixed_precision: Literal["auto", "off", "bfloat16"] = option(
        "bfloat16: compute in bfloat16 where that is safe; saved weights stay float32. auto: use bfloat16 if the "
        "processor or the GPUs have instructions for it (NVIDIA's from A100 on); without them it is many times slower. "
        "off: float32.",
        "off",
    )
    gradient_precision: Literal["float32", "bfloat16"] = option(
        "Number format in which devices send each other gradients, and add them. bfloat16: half the bytes, for several "
        "machines on a slow network; weights and updates stay float32. One device sends none.",
        "float32",
    )
    jit_compile: bool = option("Compile losses and gradients by XLA: the first step is slow, the others faster.", False)
    steps_per_call: int = option(
        "Steps in one call of TensorFlow; more of them save time if steps are short, as those of small networks are.",
        1,
        at_least=1,
    )

    checkpoint_every_steps: int = option(
        "Steps between checkpoints, each with generator.keras and samples.", 1000, at_least=1
    )
    keep_checkpoints: int = option("Number of newest checkpoints to keep.", 3, at_least=1)
    keep_every_steps: int = option(
        "Steps between checkpoints that are kept for good; a multiple of --checkpoint_every_steps. 0: none.",
        0,
        at_least=0,
    )
    summary_every_steps: int = option("Steps between points of TensorBoard's curves.", 50, at_least=1)
    num_samples: int = option("Photos in the picture of samples.", 6, at_least=1)
    validation_batches: int = option(
        "Batches of held-out pictures (build_tfrecords --validation_fraction) to compute the losses on at each "
        "checkpoint. 0: none.",
        8,
        at_least=0,
    )
    deterministic: bool = option(
        "Use slower operations that compute the same bits each time: runs with equal flags on equal machines end with "
        "equal weights, whether they were interrupted or not.",
        False,
    )
    seed: int = option("Seed of initial weights, order, crops, flips and the pool.", 0, at_least=0, below=2**31)
    dry_run: bool = option(
        "Do not train: print all flags, check data, VGG19, disk and memory, time a few steps of each phase, and print "
        "the time that training will take.",
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
        if self.initial_generator:
            object.__setattr__(self, "initialization_epochs", 0)
        require(
            self,
            "adversarial_epochs",
            self.initialization_epochs + self.adversarial_epochs > 0,
            "with --initialization_epochs=0 too there is nothing to train",
        )

    @property
    def learns_from_cartoons(self) -> bool:
        """Whether a phase shows cartoons to the discriminator."""
        return self.adversarial_epochs > 0 or self.discriminator_warmup_steps > 0

    @property
    def learns_from_teacher(self) -> bool:
        """Whether the initialization learns a teacher's drawings."""
        return self.initialization_loss == "teacher" and self.initialization_epochs > 0

    @property
    def needs_drawings(self) -> bool:
        """Whether a phase compares with a teacher's drawings."""
        return self.learns_from_teacher or (self.content_target == "drawing" and self.adversarial_epochs > 0)

    @property
    def judges_features(self) -> bool:
        """Whether a phase shows features of VGG19 to the discriminator."""
        return self.discriminator == "features" and self.learns_from_cartoons

    @property
    def compares_content(self) -> bool:
        """Whether a loss needs the features of VGG19."""
        of_photos = self.initialization_loss == "content" and self.initialization_epochs > 0
        of_drawings = self.learns_from_teacher and self.teacher_content_weight > 0
        return self.adversarial_epochs > 0 or of_photos or of_drawings


FIXED_FLAGS = tuple(field.name for field in dataclasses.fields(TrainConfig) if is_fixed(field))
