"""Cartoonize photos, folders of photos and films, in a style that comes with this or with a model of yours.

    python -m cartoongan_tf.cartoonize photo.jpg
    python -m cartoongan_tf.cartoonize --style=ink photo.jpg
    python -m cartoongan_tf.cartoonize --model=runs/shinkai/generator.keras photo.jpg

write photo-cartoon.jpg beside the photo, and clip-cartoon.mp4 for clip.mp4. A folder and the folders inside it are
cartoonized into FOLDER-cartoon; give it again to resume after an interruption. Give any number of pictures, films and
folders, or - for standard input and output. Existing files are overwritten only with --overwrite.
"""

import dataclasses
import sys
from typing import Literal

from cartoongan_tf import styles
from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.inference import contact_sheets, file_pipeline, jobs, style_sheets
from cartoongan_tf.inference.file_pipeline import FileOptions, RenderOptions
from cartoongan_tf.inference.isolated import isolated_cartoonizer
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import pictures


@dataclasses.dataclass(frozen=True)
class CartoonizeConfig(Config):
    """Settings for one run of the program."""

    style: str = option(f"Name of the style to draw in; without it and --model: {styles.DEFAULT}.", "")
    model: str = option(
        "The model to draw with: a .keras file, a .tflite file, a SavedModel folder, or the name of a style.", ""
    )
    list_styles: bool = option("List the styles that come with this version, and exit.", False)
    all_styles: bool = option(
        "Draw all pictures in all styles on one sheet, photos-styles.jpg for photos or the file --output, and exit.",
        False,
    )
    output: str = option(
        "Where to write instead: a file name, or a folder name for a folder or several sources; - is standard output.",
        "",
    )
    overwrite: bool = option("Overwrite existing results. The photo itself is never overwritten.", False)

    strength: float = option("1 is the cartoon, 0 the photo, 0.7 a mixture of both.", 1.0, at_least=0, at_most=1)
    keep_colors: bool = option("Take only the lightness from the cartoon, and the colours from the photo.", False)
    compare: bool = option("Show the photo to the left of its cartoon.", False)
    contact_sheet: bool = option(
        "Write contact-sheet.jpg, with photos and cartoons side by side, into each output folder.", False
    )

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
        names_one = self.style or self.model
        require(self, "all_styles", not (self.all_styles and names_one), "leave it out, or --style and --model")
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


def main(argv=None) -> int:
    return program.run(CartoonizeConfig, _cartoonize, __doc__, argv, takes_arguments=True)


def _cartoonize(config: CartoonizeConfig, arguments: list[str]) -> int:
    if config.list_styles:
        print(_styles_text())
        return 0
    if not arguments:
        raise UsageError("name the picture, film or folder to cartoonize, after the flags: cartoonize photo.jpg")
    if config.all_styles:
        path = style_sheets.sheet_path(arguments, config.output, config.overwrite)
        style_sheets.write(arguments, path)
        print(f"Wrote {path}")
        return 0
    suffix = "" if config.format == "keep" else f".{config.format}"
    all_jobs = jobs.find_jobs(arguments, config.output, suffix)
    to_do = jobs.left_to_do(all_jobs, config.overwrite)
    if config.contact_sheet:
        contact_sheets.check(all_jobs, config.overwrite)
    problems = file_pipeline.find_bad_films(to_do)
    usable = [job for job in to_do if job not in problems]
    if usable:
        problems |= _cartoonize_files(usable, config, suffix)
    if config.contact_sheet:
        contact_sheets.write([job for job in all_jobs if job not in problems])
    summary = jobs.summary(all_jobs, to_do, problems)
    if summary:
        print(summary)
    return jobs.status(problems)


def _styles_text() -> str:
    all_styles = styles.all_styles().values()
    width = max(len(style.name) for style in all_styles)
    return "\n".join(f"{style.name:{width}}  {style.description}" for style in all_styles)


def _cartoonize_files(to_do: list[Job], config: CartoonizeConfig, suffix: str) -> dict[Job, InputError]:
    """Cartoonize all files in a process of its own; return the jobs without a result, and why."""
    styles.find_model(config.model_or_style)  # reports a wrong name before the process starts
    render = RenderOptions(
        long_side=config.long_side,
        strength=config.strength,
        keep_colors=config.keep_colors,
        compare=config.compare,
        steadiness=config.steadiness,
    )
    files = FileOptions(
        max_pixels=config.max_pixels,
        quality=config.quality,
        keep_metadata=config.keep_metadata,
        suffix=suffix,
        batch_size=config.batch_size,
    )
    bar = PictureBar(sum(not job.is_film for job in to_do))
    process = isolated_cartoonizer(config.model_or_style, config.method, config.drawing_size_or_default, bar.show_part)
    with process as cartoonizer:
        with progress.stage(f"loading {config.model_or_style}"):
            cartoonizer.load()
        return file_pipeline.cartoonize_files(to_do, cartoonizer, render, files, bar)


if __name__ == "__main__":
    sys.exit(main())
