"""The options of training that name its inputs and shape its networks; `config` has the others."""

import dataclasses
from typing import Any, Literal

from cartoongan_tf.base.options import Config, option
from cartoongan_tf.models.architectures import GENERATOR_SIZES

_IS_FIXED = "is_fixed"


def fixed_option(help: str, default: Any, **limits: float) -> Any:
    """Declare an option that a run cannot change once it has begun.

    These options determine the networks, the content of checkpoints, and the steps at which phases end.
    """
    metadata = option(help, default, **limits).metadata
    return dataclasses.field(default=default, metadata={**metadata, _IS_FIXED: True})


def is_fixed(field: dataclasses.Field) -> bool:
    """Return whether a field was declared by `fixed_option`."""
    return field.metadata.get(_IS_FIXED, False)


@dataclasses.dataclass(frozen=True)
class NetworksConfig(Config):
    data_dir: str = option("Folder of training records, as data_pipeline.build_tfrecords writes it.")
    run_dir: str = option(
        "Folder of the run: generator.keras, samples, checkpoints, curves. A run that is there already is resumed."
    )
    vgg19_weights: str = option(
        "VGG19 for the content loss: imagenet (fetched once, 80 MB), the path of a weights file, or random (trials "
        "only).",
        "imagenet",
    )

    initial_generator: str = option(
        "Generator to fine-tune: a generator.keras or the name of a style, of the same size as the generator to train. "
        "There is no initialization then.",
        "",
    )
    generator: Literal["paper", "light", "narrow"] = fixed_option(
        "Architecture of the generator: the paper's; light, of a twentieth of its cost, for phones, films and training "
        "on small machines (docs/light_generator.md); or narrow, the light one of earlier versions.",
        "paper",
    )
    generator_width: int = fixed_option(
        "Filters of the generator's first convolution. 0: the architecture's own, 64 in the paper.", 0, at_least=0
    )
    generator_num_blocks: int = fixed_option(
        "Residual blocks of the generator. 0: the architecture's own, 8 in the paper.", 0, at_least=0
    )
    discriminator: Literal["patch", "features"] = fixed_option(
        "What the discriminator judges: patches of pixels, as the paper's does, or features of VGG19, from which it "
        "knows cartoons after a few steps; not in the paper.",
        "patch",
    )
    discriminator_width: int = fixed_option(
        "Filters of the discriminator's first convolutions; 32 is the paper's.", 32, at_least=1
    )
    feature_mixing: Literal["learned", "random"] = fixed_option(
        "Weights by which --discriminator=features mixes the channels of VGG19: learned, or left as they were drawn.",
        "learned",
    )

    def __post_init__(self):
        """Set the generator's size to the architecture's own where a flag is 0."""
        super().__post_init__()
        width, num_blocks = GENERATOR_SIZES.get(self.generator, (0, 0))
        object.__setattr__(self, "generator_width", self.generator_width or width)
        object.__setattr__(self, "generator_num_blocks", self.generator_num_blocks or num_blocks)
