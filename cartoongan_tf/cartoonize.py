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

from cartoongan_tf import styles
from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.inference import contact_sheets, file_pipeline, jobs, style_sheets
from cartoongan_tf.inference.draw_config import DrawConfig
from cartoongan_tf.inference.isolated import isolated_cartoonizer
from cartoongan_tf.inference.jobs import Job


@dataclasses.dataclass(frozen=True, kw_only=True)
class _PlacesConfig(Config):
    """The lists to print, and the results to write: the first flags in --help."""

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
    contact_sheet: bool = option(
        "Write contact-sheet.jpg, with photos and cartoons side by side, into each output folder.", False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class CartoonizeConfig(DrawConfig, _PlacesConfig):
    """Settings for one run of the program."""

    def __post_init__(self):
        super().__post_init__()
        names_one = self.style or self.model
        require(self, "all_styles", not (self.all_styles and names_one), "leave it out, or --style and --model")


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
    all_jobs = jobs.find_jobs(arguments, config.output, config.suffix)
    to_do = jobs.left_to_do(all_jobs, config.overwrite)
    if config.contact_sheet:
        contact_sheets.check(all_jobs, config.overwrite)
    problems = file_pipeline.find_bad_films(to_do)
    usable = [job for job in to_do if job not in problems]
    if usable:
        problems |= _cartoonize_files(usable, config)
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


def _cartoonize_files(to_do: list[Job], config: CartoonizeConfig) -> dict[Job, InputError]:
    """Cartoonize all files in a process of its own; return the jobs without a result, and why."""
    styles.find_model(config.model_or_style)  # reports a wrong name before the process starts
    bar = PictureBar(sum(not job.is_film for job in to_do))
    process = isolated_cartoonizer(config.model_or_style, config.method, config.drawing_size_or_default, bar.show_part)
    with process as cartoonizer:
        with progress.stage(f"loading {config.model_or_style}"):
            cartoonizer.load()
        return file_pipeline.cartoonize_files(to_do, cartoonizer, config.render_options(), config.file_options(), bar)


if __name__ == "__main__":
    sys.exit(main())
