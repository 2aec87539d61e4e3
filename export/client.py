"""Cartoonize photos on a TensorFlow Serving server that serves an exported style.

    python -m export.client --server=localhost:8500 --model=shinkai photo.jpg

writes photo-cartoon.png beside the photo. Give any number of pictures and folders; - reads standard input and writes
standard output. HEIC, WebP, TIFF and other pictures that a server does not take are sent as JPEG, or as PNG if they
were stored without loss. Files that are not pictures are skipped; the exit status is 1 if such a file was named itself.

The client uses gRPC; give --rest for the REST port (usually 8501). The README that export_model writes beside
models.config describes how to start a server.
"""

import dataclasses
import io
import os
import re
import sys
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from cartoongan_tf.base import atomic, program, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.inference import jobs
from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge
from export.serving.facts import JPEG, MAGIC_BYTES, MAX_VERSION, PNG
from export.serving.remote_model import TIMEOUT_SECS, GrpcModel, RemoteModel, RestModel, ServerError

SUFFIXES = {PNG: (".png",), JPEG: (".jpg", ".jpeg")}
MAX_TIMEOUT_SECS = 1e6
_SENT_AS_THEY_ARE = MAGIC_BYTES[:3]  # of the fourth format, BMP, a server takes some kinds alone


@dataclasses.dataclass(frozen=True)
class ClientConfig(Config):
    """Settings for the client; values that cannot be used raise InputError."""

    server: str = option("HOST:PORT of the server: its gRPC port, or with --rest its REST port.")
    model: str = option("Name of the exported style.")
    rest: bool = option("Use REST instead of gRPC.", False)
    model_version: int = option("Version of the model; 0: the newest.", 0, at_least=0, at_most=MAX_VERSION)
    timeout_secs: float = option("Time to wait for each picture.", TIMEOUT_SECS, above=0, at_most=MAX_TIMEOUT_SECS)

    output: str = option("Where to write the result: a file that ends in .png or .jpg, or a folder for several.", "")
    overwrite: bool = option("Overwrite results that already exist.", False)
    format: Literal["png", "jpg"] = option("File format of the results; a file that --output names has its own.", "png")
    strength: float = option(
        "Strength of the effect: 1 gives the cartoon, 0 the photo, 0.7 a blend of both.", 1.0, at_least=0, at_most=1
    )
    keep_colors: bool = option("Take only the lightness from the cartoon, and the colours from the photo.", False)
    long_side: int = option(
        "Shrink larger pictures to this longer side, in pixels, and leave their cartoons at that size; 0: draw them at "
        "the style's size, and enlarge the cartoons to theirs.",
        0,
        at_least=0,
        below=2**31,
    )

    def __post_init__(self):
        super().__post_init__()
        address = re.fullmatch(r"(\[[^\]]+\]|[^:\s/]+):(\d{1,5})", self.server)
        is_address = address and 0 < int(address[2]) < 2**16
        require(self, "server", is_address, "HOST:PORT was expected, like localhost:8500")
        is_name = re.fullmatch(r"\w[\w-]*", self.model, re.ASCII)
        require(self, "model", is_name, "the name of an exported style was expected: letters, digits, - and _")
        suffixes = ("", *SUFFIXES[PNG], *SUFFIXES[JPEG])
        is_possible = Path(self.output).suffix.lower() in suffixes
        require(
            self, "output", is_possible, "results are PNG or JPEG; end the name in .png or .jpg, or in / for a folder"
        )

    @property
    def place(self) -> str:
        """The output in the form that `jobs` takes: a name without a suffix is a folder."""
        is_folder = self.output and self.output != str(STREAM) and not Path(self.output).suffix
        return f"{self.output}{os.sep}" if is_folder else self.output

    @property
    def answer_format(self) -> str:
        """The format of the results, one of `facts.ANSWER_FORMATS`."""
        return JPEG if self.suffix in SUFFIXES[JPEG] else PNG

    @property
    def suffix(self) -> str:
        """The suffix of the results: that of --output if it is a file."""
        return Path(self.output).suffix.lower() or f".{self.format}"

    def options(self, format: str) -> dict[str, Any]:
        """Return the options for `RemoteModel.draw`; no more than it takes, for models that were exported long ago.

        Args:
          format: the format of the answer.
        """
        if self.keep_colors or format != PNG:
            colors_and_format = {"keep_colors": self.keep_colors, "format": format}
            return {"strength": self.strength, "long_side": self.long_side, **colors_and_format}
        is_plain = self.strength == 1 and self.long_side == 0
        return {} if is_plain else {"strength": self.strength, "long_side": self.long_side}


def main(argv=None) -> int:
    return program.run(ClientConfig, _draw, __doc__, argv, takes_arguments=True)


def _draw(config: ClientConfig, arguments: list[str]) -> int:
    if not arguments:
        raise UsageError("name the picture or folder to cartoonize, after the flags: ... --model=MODEL photo.jpg")
    all_jobs = jobs.find_jobs(arguments, config.place, config.suffix)
    to_do = jobs.left_to_do(all_jobs, config.overwrite)
    model = _remote_model(config)
    problems: dict[Job, InputError] = {}
    for job in Bar(to_do, unit="picture", disable=len(to_do) < 2):
        try:
            with progress.stage(f"{config.server} cartoonizes {job.source}"):
                photo = _read(job)
                _write(job, _cartoonize(model, config, photo))
        except ServerError:
            raise
        except InputError as problem:
            problems[job] = problem
            tqdm.write(f"Skipped {job.source}: {str(problem).removeprefix(f'{job.source}: ')}", file=sys.stderr)
    text = jobs.summary(all_jobs, to_do, problems)
    if text:
        print(text)
    return jobs.status(problems)


def _remote_model(config: ClientConfig) -> RemoteModel:
    address = (config.server, config.model, config.model_version, config.timeout_secs)
    if config.rest:
        return RestModel(*address)
    program.start_tensorflow()  # it has the classes of gRPC requests
    return GrpcModel(*address)


def _cartoonize(model: RemoteModel, config: ClientConfig, photo: bytes) -> bytes:
    """Return the bytes of a photo's cartoon, both files; without --long_side it is as large as the photo."""
    if config.long_side:
        return model.draw(photo, config.options(config.answer_format))
    answer = model.draw(photo, config.options(PNG))  # it may be enlarged, which should not enlarge a JPEG's blocks
    cartoon = pictures.read(io.BytesIO(answer)).frames[0]
    height, width = pictures.read(io.BytesIO(photo), first_frame_only=True).frames[0].shape[:2]
    has_right_size = cartoon.shape[:2] == (height, width)
    if has_right_size and config.answer_format == PNG:
        return answer
    cartoon = cartoon if has_right_size else enlarge(cartoon, height, width)
    return pictures.encode(pictures.Picture([cartoon]), config.suffix)


def _read(job: Job) -> bytes:
    """Read a picture file in a format that the server takes, other formats as JPEG, or as PNG if that lost something.

    Raises:
      InputError: the file is not a picture, and must not be sent to anybody.
    """
    if job.is_film:
        raise InputError("a film; a server takes only pictures, cartoonize takes films")
    try:
        content = sys.stdin.buffer.read() if job.source == STREAM else job.source.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    if content.startswith(_SENT_AS_THEY_ARE):
        return content
    picture = pictures.read(io.BytesIO(content), first_frame_only=True, name=job.source)
    is_opaque = picture.frames[0].shape[2] == 3
    format = JPEG if is_opaque and not picture.is_lossless else PNG
    return pictures.encode(picture, SUFFIXES[format][0])


def _write(job: Job, cartoon: bytes) -> None:
    if job.target == STREAM:
        sys.stdout.buffer.write(cartoon)
        sys.stdout.buffer.flush()
        return
    with atomic.replacing(job.target) as temporary:
        temporary.write_bytes(cartoon)


if __name__ == "__main__":
    sys.exit(main())
