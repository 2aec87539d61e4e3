"""Draw photos as cartoons with a trained model.

    python -m cartoongan_tf.cartoonize --model=runs/shinkai/generator.keras photo.jpg

writes photo-cartoon.jpg beside the photo. A folder is drawn whole, with the folders inside it, into
FOLDER-cartoon. Give any number of pictures and folders; nothing that exists is written over without --overwrite.
"""

import dataclasses
import os
import sys
from pathlib import Path

from tqdm import tqdm

from cartoongan_tf import pictures, program
from cartoongan_tf.errors import InputError
from cartoongan_tf.options import option


@dataclasses.dataclass(frozen=True)
class CartoonizeConfig:
    model: str = option("The model: a .keras file, a .tflite file or a SavedModel folder.")
    output: str = option("Where to write instead: a picture's name, or a folder's where a folder is drawn.", "")
    overwrite: bool = option("Write over pictures that exist already. The photo itself is never written over.", False)


def main(argv=None) -> int:
    return program.run(CartoonizeConfig, _cartoonize, __doc__, argv, takes_arguments=True)


def _cartoonize(config: CartoonizeConfig, arguments: list[str]) -> int:
    jobs = [job for argument in arguments for job in _jobs(Path(argument), config.output)]
    _check(jobs, arguments, config)
    program.start_tensorflow()
    from cartoongan_tf.cartoonizer import Cartoonizer

    cartoonizer = Cartoonizer.load(config.model)
    skipped = []
    for photo, cartoon in tqdm(jobs, unit="picture", disable=len(jobs) == 1):
        try:
            pictures.write_picture(cartoon, cartoonizer(pictures.read_picture(photo)))
        except InputError as error:
            skipped.append(photo)
            tqdm.write(f"Skipped {error}", file=sys.stderr)
    return _report(jobs, skipped, arguments)


def _jobs(path: Path, output: str) -> list[tuple[Path, Path]]:
    """Pairs of a photo and its cartoon to write."""
    if path.is_dir():
        return _folder_jobs(path, Path(output or f"{os.path.abspath(path)}-cartoon"))
    cartoon = path.with_name(f"{path.stem}-cartoon{_suffix(path)}")
    if not output:
        return [(path, cartoon)]
    return [(path, Path(output) / cartoon.name if Path(output).is_dir() else Path(output))]


def _folder_jobs(folder: Path, output_folder: Path) -> list[tuple[Path, Path]]:
    """A pair for each file below a folder, its tree kept; what an earlier run wrote below it is left out."""
    results = output_folder.resolve() if output_folder.resolve() != folder.resolve() else None
    photos = [photo for photo in pictures.list_files(folder) if results not in photo.resolve().parents]
    cartoons = [output_folder / photo.relative_to(folder) for photo in photos]
    return [
        (photo, cartoon if cartoon.suffix == _suffix(photo) else cartoon.with_name(f"{cartoon.name}.png"))
        for photo, cartoon in zip(photos, cartoons, strict=True)
    ]


def _suffix(photo: Path) -> str:
    """The photo's own suffix where pictures can be written with it; .png otherwise."""
    return photo.suffix if photo.suffix.lower() in pictures.WRITABLE_SUFFIXES else ".png"


def _check(jobs: list[tuple[Path, Path]], arguments: list[str], config: CartoonizeConfig) -> None:
    if not arguments:
        raise InputError("name the picture or the folder to draw, after the flags: ... --model=MODEL photo.jpg")
    if config.output and len(arguments) > 1:
        raise InputError("--output names one result, but several pictures are given; leave it out, or give a folder")
    if not Path(config.model).exists():
        raise InputError(f"--model={config.model}: no such model; training writes RUN_DIR/generator.keras")
    photos = {photo.resolve() for photo, _ in jobs}
    photo_of: dict[Path, Path] = {}
    for photo, cartoon in jobs:
        if photo_of.setdefault(cartoon, photo) != photo:
            raise InputError(f"{photo} and {photo_of[cartoon]} would both become {cartoon}; draw one with --output")
        pictures.check_writable_suffix(cartoon)
        if not photo.exists():
            raise InputError(f"{photo}: no such picture or folder")
        if cartoon.resolve() in photos:
            raise InputError(f"{cartoon}: that is one of the photos to draw; name another --output, or move it away")
        if cartoon.exists() and not config.overwrite:
            raise InputError(f"{cartoon}: exists already; give --overwrite to write over it, or name another --output")


def _report(jobs: list[tuple[Path, Path]], skipped: list[Path], arguments: list[str]) -> int:
    """Say what was written; status 1 if a picture that was named itself could not be drawn."""
    if len(jobs) == len(skipped):
        raise InputError("no picture could be drawn")
    drawn = [cartoon for photo, cartoon in jobs if photo not in skipped]
    where = drawn[0] if len(drawn) == 1 else f"{len(drawn)} cartoons, the first is {drawn[0]}"
    print(f"Wrote {where}" + (f"; skipped {len(skipped)} files" if skipped else ""))
    return int(any(Path(argument) in skipped for argument in arguments))


if __name__ == "__main__":
    sys.exit(main())
