"""Draw photos, folders of them and films as cartoons, in a style that comes with this or with a model of yours.

    python -m cartoongan_tf.cartoonize photo.jpg
    python -m cartoongan_tf.cartoonize --model=runs/shinkai/generator.keras photo.jpg

write photo-cartoon.jpg beside the photo, and clip-cartoon.mp4 for clip.mp4. A folder is drawn whole, with the folders
inside it, into FOLDER-cartoon; given again, the command goes on with what is not drawn yet. Give any number of
pictures, films and folders, or - for standard input and output. Nothing that exists is written over without
--overwrite.
"""

import dataclasses
import functools
import sys
from typing import Literal

from tqdm import tqdm

from cartoongan_tf import styles
from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.inference import contact_sheets, jobs
from cartoongan_tf.inference.file_pipeline import FileOptions, RenderOptions, draw_named, draw_pictures
from cartoongan_tf.inference.isolated import IsolatedCartoonizer, isolated_cartoonizer
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.inference.steady import STEADINESS
from cartoongan_tf.media import film, pictures


@dataclasses.dataclass(frozen=True)
class CartoonizeConfig(Config):
    model: str = option(
        "What draws: a style's name, a .keras file, a .tflite file, or a SavedModel folder.", styles.DEFAULT
    )
    list_styles: bool = option("Show the styles that come with this version, and stop.", False)
    output: str = option(
        "Where to write instead: a file's name, or a folder's for a folder or several sources; - is standard output.",
        "",
    )
    overwrite: bool = option("Write over results that exist already. The photo itself is never written over.", False)

    strength: float = option("1 is the cartoon, 0 the photo, 0.7 something between.", 1.0, at_least=0, at_most=1)
    keep_colors: bool = option("Take only the light from the cartoon, and the colours from the photo.", False)
    compare: bool = option("Show the photo to the left of its cartoon.", False)
    contact_sheet: bool = option("Write contact-sheet.jpg into each drawn folder: its photos and cartoons.", False)

    long_side: int = option(
        "Draw larger pictures and films shrunk to this longer side, in pixels; 0: never.", 0, at_least=0
    )
    format: Literal["keep", "jpg", "png", "webp", "tiff", "bmp", "gif"] = option("Of the pictures to write.", "keep")
    quality: int = option("1 to 100, of JPEG, WebP and films.", pictures.DEFAULT_QUALITY, at_least=1, at_most=100)
    max_pixels: int = option(
        "Refuse pictures with more pixels, all frames counted, before they are decoded.",
        pictures.MAX_PIXELS,
        at_least=1,
    )
    method: Literal["auto", "whole", "banded"] = option(
        "whole draws a picture in one piece, banded in bands: about half as fast, in a fraction of the memory, with "
        "the same result; auto takes banded where memory, or TensorFlow on this processor, does not take the whole.",
        "auto",
    )
    steadiness: float = option(
        "Of films and animations: the share of the drawing kept from frame to frame where nothing moves; 0 draws each "
        "frame by itself, which flickers.",
        STEADINESS,
        at_least=0,
        below=1,
    )
    batch_size: int = option("Frames of a film to draw at once, if they fit into memory.", 4, at_least=1)


def main(argv=None) -> int:
    return program.run(CartoonizeConfig, _cartoonize, __doc__, argv, takes_arguments=True)


def _cartoonize(config: CartoonizeConfig, arguments: list[str]) -> int:
    if config.list_styles:
        print(_styles_text())
        return 0
    if not arguments:
        raise UsageError("name the picture, film or folder to draw, after the flags: cartoonize photo.jpg")
    suffix = "" if config.format == "keep" else f".{config.format}"
    found = jobs.find_jobs(arguments, config.output, suffix)
    to_do = jobs.left_to_do(found, config.overwrite)
    if config.contact_sheet:
        contact_sheets.check(found, config.overwrite)
    problems = _bad_films(to_do)
    if drawable := [job for job in to_do if job not in problems]:
        problems |= _draw(drawable, config, suffix)
    if config.contact_sheet:
        contact_sheets.write([job for job in found if job not in problems])
    if text := jobs.summary(found, to_do, problems):
        print(text)
    return jobs.status(problems)


def _styles_text() -> str:
    found = styles.all_styles().values()
    width = max(len(style.name) for style in found)
    return "\n".join(f"{style.name:{width}}  {style.description}" for style in found)


def _bad_films(to_do: list[Job]) -> dict[Job, InputError]:
    """Why some films cannot be drawn: found in a moment, before the model is loaded."""
    problems = {}
    for job in to_do:
        if job.is_film:
            try:
                film.check_film(job.source, job.target)
            except InputError as problem:
                problems[job] = _skip(problem)
    return problems


def _draw(to_do: list[Job], config: CartoonizeConfig, suffix: str) -> dict[Job, InputError]:
    """Draw everything; returns why what could not be drawn was not."""
    styles.find_model(config.model)  # a wrong name is said at once
    look = RenderOptions(config.long_side, config.strength, config.keep_colors, config.compare, config.steadiness)
    files = FileOptions(config.max_pixels, config.quality, suffix)
    pictures_to_do = [job for job in to_do if not job.is_film]
    shown = PictureBar(len(pictures_to_do))
    with isolated_cartoonizer(config.model, config.method, shown.show_part) as cartoonizer:
        with progress.stage(f"loading {config.model}"):
            cartoonizer.load()
        problems = _draw_pictures(pictures_to_do, cartoonizer, look, files, shown)
        for job in to_do:
            if job.is_film:
                try:
                    _draw_film(job, cartoonizer, look, config)
                except InputError as problem:
                    problems[job] = _skip(problem)
    return problems


def _draw_pictures(
    to_do: list[Job], cartoonizer: IsolatedCartoonizer, look: RenderOptions, files: FileOptions, shown: PictureBar
) -> dict[Job, InputError]:
    problems = {}
    with shown:
        for job, problem in draw_pictures(to_do, cartoonizer, look, files, lambda job: shown.begin(job.source.name)):
            shown.end()
            if problem is not None:
                problems[job] = _skip(problem)
    return problems


def _draw_film(job: Job, cartoonizer: IsolatedCartoonizer, look: RenderOptions, config: CartoonizeConfig) -> None:
    draw = functools.partial(draw_named, job, look.draw_frames, look.film(cartoonizer))
    report = film.draw_film(job.source, job.target, draw, config.batch_size, config.quality)
    _say_what_is_missing(job, report)


def _skip(problem: InputError) -> InputError:
    tqdm.write(f"Skipped {problem}", file=sys.stderr)
    return problem


def _say_what_is_missing(job: Job, report: film.FilmReport) -> None:
    remarks = []
    if report.num_broken:
        remarks.append(f"{report.num_broken} broken frames, for which the last good one stands")
    if report.num_frames < 0.9 * (report.num_expected or 0):
        remarks.append(f"{report.num_frames} of about {report.num_expected} frames; it may have been cut short")
    if report.num_audio_left_out:
        remarks.append(f"{report.num_audio_left_out} sound tracks of unknown kind left out")
    for remark in remarks:
        print(f"{job.source}: {remark}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
