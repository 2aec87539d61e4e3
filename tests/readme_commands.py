"""The commands of README.md and other pages, made small, and the folder in which a reader runs them."""

import re
import shlex
import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks import prediction_server as server
from cartoongan_tf.media import pictures
from export.serving.session import ServingSession
from tests.films import make_film, write_film
from tests.helpers import REPOSITORY, TINY_NETWORKS, draw

README = REPOSITORY / "README.md"
USER_PAGES = [README, *(REPOSITORY / "docs" / name for name in ("cartoonize.md", "evaluation.md", "export.md"))]
SMALLER = {  # flags that keep the commands short; later flags win
    "data_pipeline.build_tfrecords": ["--image_size=32"],
    "cartoongan_tf.evaluate": ["--vgg19_weights=random", "--num_crops=8", "--crop_px=32", "--num_resamplings=2"],
    "export.export_model": ["--fixed_size=64x32", "--formats=saved_model,fp16,int8"],
    "export.benchmark_tflite": ["--sizes_px=16", "--threads=1", "--rounds=1"],
    "cartoongan_tf.train": [
        *TINY_NETWORKS,
        "--vgg19_weights=random",
        "--batch_size=4",
        "--initialization_epochs=1",
        "--adversarial_epochs=1",
        "--crop_size=0",
    ],
}


def blocks_in(language: str, text: str) -> list[str]:
    """Return the contents of a page's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_in(text: str) -> list[str]:
    """Return the lines of a page's sh blocks, in the page's order."""
    return [line for block in blocks_in("sh", text) for line in block.splitlines()]


def commands_of_users() -> list[str]:
    """Return the commands of the README and of the pages that continue it, each once, in their order."""
    commands = [command for page in USER_PAGES for command in commands_in(page.read_text())]
    return list(dict.fromkeys(commands))


def smaller(command: str) -> list[str]:
    """Return the words of a command, with the flags that keep it short; what it switches off, and a page, stay."""
    words = shlex.split(command)
    module = words[2] if words[:2] == ["python", "-m"] else ""
    end = words.index("--") if "--" in words else len(words)  # flags after -- belong to another program
    given = [*words, *_phases_left_out(words)]
    kept = {flag.partition("=")[0] for flag in given if flag.endswith("=0") or flag == "--formats=web"}
    added = [flag for flag in SMALLER.get(module, []) if flag.partition("=")[0] not in kept]
    return [*words[:end], *added, *words[end:]]


def _phases_left_out(words: list[str]) -> list[str]:
    """Return the flags of a command's flagfile that give a phase of training no epochs."""
    files = [word.partition("=")[2] for word in words if word.startswith("--flagfile=")]
    lines = [line for name in files for line in (REPOSITORY / name).read_text().splitlines()]
    return [line for line in lines if line.endswith("_epochs=0")]


def fill(folder: Path, picture_folders: tuple[Path, Path]) -> None:
    """Put into a folder what a reader of the README has: photos, frames, a photo, a film and the recipe."""
    for source in picture_folders:
        shutil.copytree(source, folder / source.name)
    shutil.copy(REPOSITORY / "shinkai.flags", folder)
    pictures.write_picture(folder / "photo.jpg", draw(0))
    make_film(folder / "clip.mp4")
    write_film(folder / "film.mp4", [draw(200 + frame // 10, 96, 128) for frame in range(40)])


def serving(folder: Path) -> AbstractContextManager[str]:
    """Serve the style that the README exports. Yields HOST:PORT."""
    session = ServingSession(folder / "exported" / "serving" / "shinkai" / "1")
    return server.grpc_server(server.PredictionServicer({"shinkai": {1: session}}))
