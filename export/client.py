"""Have photos drawn by a TensorFlow Serving server that serves an exported style.

    python -m export.client --server=localhost:8500 --model=shinkai photo.jpg

writes photo-cartoon.png beside the photo. Give any number of pictures, and folders of them; - reads standard input and
writes standard output. What is no picture is skipped; the exit status is 1 if it was named itself. gRPC by default,
--rest for the REST port (8501 as a rule). How to start a server is told by the README that export_model writes beside
models.config.
"""

import dataclasses
import io
import os
import re
import sys
from pathlib import Path

from tqdm import tqdm

from cartoongan_tf.base import atomic, program, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option, require
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.inference import jobs
from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.media import pictures
from export.serving.facts import MAGIC_BYTES, MAX_VERSION
from export.serving.remote_model import TIMEOUT_SECS, GrpcModel, RemoteModel, RestModel, ServerError

SUFFIX = ".png"  # what a server gives
MAX_TIMEOUT_SECS = 1e6


@dataclasses.dataclass(frozen=True)
class ClientConfig(Config):
    server: str = option("HOST:PORT of the server: its gRPC port, or with --rest its REST port.")
    model: str = option("The style's name, as it was exported.")
    rest: bool = option("Ask over REST instead of gRPC.", False)
    model_version: int = option("Of the model; 0: the newest.", 0, at_least=0, at_most=MAX_VERSION)
    timeout_secs: float = option("How long to wait for each picture.", TIMEOUT_SECS, above=0, at_most=MAX_TIMEOUT_SECS)

    output: str = option("Where to write instead: a file that ends in .png, or a folder for several.", "")
    overwrite: bool = option("Write over results that exist already.", False)
    strength: float = option("1 is the cartoon, 0 the photo, 0.7 something between.", 1.0, at_least=0, at_most=1)
    long_side: int = option(
        "Have larger pictures shrunk to this longer side, in pixels; 0: never.", 0, at_least=0, below=2**31
    )

    def __post_init__(self):
        super().__post_init__()
        found = re.fullmatch(r"(\[[^\]]+\]|[^:\s/]+):(\d{1,5})", self.server)
        is_address = found and 0 < int(found[2]) < 2**16
        require(self, "server", is_address, "HOST:PORT was expected, like localhost:8500")
        require(self, "model", re.fullmatch(r"\w[\w-]*", self.model, re.ASCII), "a name as export_model takes it")
        is_png = Path(self.output).suffix.lower() in ("", SUFFIX)
        require(self, "output", is_png, f"PNG files come back; end the name in {SUFFIX}, or in / for a folder")

    @property
    def place(self) -> str:
        """Where to write, for `jobs`: what does not end in .png is a folder."""
        is_folder = self.output and self.output != str(STREAM) and not Path(self.output).suffix
        return f"{self.output}{os.sep}" if is_folder else self.output

    @property
    def taste(self) -> dict[str, float]:
        """What the signature `styled` takes beside pictures; empty where `encoded` will do."""
        is_plain = self.strength == 1 and self.long_side == 0
        return {} if is_plain else {"strength": self.strength, "long_side": self.long_side}


def main(argv=None) -> int:
    return program.run(ClientConfig, _draw, __doc__, argv, takes_arguments=True)


def _draw(config: ClientConfig, arguments: list[str]) -> int:
    if not arguments:
        raise UsageError("name the picture or folder to draw, after the flags: ... --model=MODEL photo.jpg")
    found = jobs.find_jobs(arguments, config.place, SUFFIX)
    to_do = jobs.left_to_do(found, config.overwrite)
    model = _remote_model(config)
    problems = []
    for job in Bar(to_do, unit="picture", disable=len(to_do) < 2):
        try:
            with progress.stage(f"{config.server} draws {job.source}"):
                drawn = model.draw(_read(job), config.taste)
            _write(job, drawn)
        except ServerError:
            raise
        except InputError as problem:
            problems.append(job)
            tqdm.write(f"Skipped {job.source}: {str(problem).removeprefix(f'{job.source}: ')}", file=sys.stderr)
    if text := jobs.summary(found, to_do, problems):
        print(text)
    return jobs.status(problems)


def _remote_model(config: ClientConfig) -> RemoteModel:
    if not config.rest:
        program.start_tensorflow()  # the requests' classes are its own
    return (RestModel if config.rest else GrpcModel)(
        config.server, config.model, config.model_version, config.timeout_secs
    )


def _read(job: Job) -> bytes:
    """A file that the server takes: one of another kind as PNG. What is no picture is not sent to anybody."""
    if job.is_film:
        raise InputError("a film, and a server draws pictures; cartoonize draws films")
    try:
        content = sys.stdin.buffer.read() if job.source == STREAM else job.source.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from error
    if content.startswith(MAGIC_BYTES):
        return content
    picture = pictures.read(io.BytesIO(content), first_frame_only=True, name=job.source)
    return pictures.encode(picture, SUFFIX)


def _write(job: Job, cartoon: bytes) -> None:
    if job.target == STREAM:
        sys.stdout.buffer.write(cartoon)
        sys.stdout.buffer.flush()
        return
    with atomic.replacing(job.target) as temporary:
        temporary.write_bytes(cartoon)


if __name__ == "__main__":
    sys.exit(main())
