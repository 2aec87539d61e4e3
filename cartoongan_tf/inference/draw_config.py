"""The flags of all programs that draw files: the model, the look of its cartoons, and the files to write."""

import dataclasses
from typing import Literal

from cartoongan_tf import styles
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.inference.file_options import FileOptions, RenderOptions
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import pictures


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawConfig(Config):
    """Settings for drawing files."""

    style: str = option(f"Name of the style to draw in; without it and --model: {styles.DEFAULT}.", "")
    model: str = option(
        "The model to draw with: a .keras file, a .tflite file, a SavedModel folder, or the name of a style.", ""
    )
    strength: float = option("1 is the cartoon, 0 the photo, 0.7 a mixture of both.", 1.0, at_least=0, at_most=1)
    keep_colors: bool = option("Take only the lightness from the cartoon, and the colours from the photo.", False)
    compare: bool = option("Show the photo to the left of its cartoon.", False)

    drawing_size: int = option(
        "Draw larger pictures and films at this longer side, in pixels, and enlarge the cartoon to their size; 0: the "
        "style's own, or the picture's for another model.",
        0,
        at_least=0,
    )
    full_size: bool = option(
        "Draw pictures at their own size, in parts where needed: lines and strokes get finer, and the photo shows.",
        False,
    )
    long_side: int = option(
        "Shrink larger pictures and films to this longer side, in pixels, first; 0 keeps their size.", 0, at_least=0
    )
    format: Literal["keep", "jpg", "png", "webp", "tiff", "bmp", "gif"] = option(
        "File format of the resulting pictures.", "keep"
    )
    quality: int = option(
        "Quality of JPEG, WebP and films, from 1 to 100.", pictures.DEFAULT_QUALITY, at_least=1, at_most=100
    )
    keep_metadata: bool = option("Keep the date and the place of photos and films; both are left out otherwise.", False)
    max_pixels: int = option(
        "Refuse pictures with more pixels, all frames counted, before decoding them.",
        pictures.MAX_PIXELS,
        at_least=1,
    )
    method: Literal["auto", "whole", "banded"] = option(
        "whole runs a picture in one piece; banded runs it in parts (bands or tiles), in less memory, with "
        "the same result; auto chooses banded for large pictures, by the model, memory and processor.",
        "auto",
    )
    steadiness: float = option(
        "Share of the cartoon kept from frame to frame where nothing moves, in films and animations; 0 keeps nothing, "
        "which flickers.",
        STEADINESS,
        at_least=0,
        below=1,
    )
    batch_size: int = option("Number of film frames to run at once, if memory allows.", 4, at_least=1)

    def __post_init__(self):
        super().__post_init__()
        require(self, "style", not (self.style and self.model), "leave it out, or --model")
        if self.style:
            names = styles.all_styles()
            rule = f"the styles are {', '.join(names)}; --model takes a file"
            require(self, "style", self.style in names, rule)
        require(self, "drawing_size", not (self.drawing_size and self.full_size), "leave it out, or --full_size")

    @property
    def model_or_style(self) -> str:
        """The model in the form that `Cartoonizer.load` takes."""
        return self.model or self.style or styles.DEFAULT

    @property
    def drawing_size_or_default(self) -> int | None:
        """The drawing size in the form that `Cartoonizer.load` takes."""
        return 0 if self.full_size else self.drawing_size or None

    @property
    def suffix(self) -> str:
        """The suffix of the pictures to write, like ".png"; empty where each keeps its own."""
        return "" if self.format == "keep" else f".{self.format}"

    def render_options(self) -> RenderOptions:
        """Return the options for the look of the cartoons."""
        return RenderOptions(
            long_side=self.long_side,
            strength=self.strength,
            keep_colors=self.keep_colors,
            compare=self.compare,
            steadiness=self.steadiness,
        )

    def file_options(self) -> FileOptions:
        """Return the options for reading and writing files."""
        return FileOptions(
            max_pixels=self.max_pixels,
            quality=self.quality,
            keep_metadata=self.keep_metadata,
            suffix=self.suffix,
            batch_size=self.batch_size,
        )
