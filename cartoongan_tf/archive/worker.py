"""One worker of an archive: it finds the parts of films, draws pictures and parts, and joins parts.

Files appear complete or not at all, and work that is done already is not done again. So a task that was lost with its
worker can be given to another one.
"""

import contextlib
import dataclasses
import errno
import functools
import hashlib
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from cartoongan_tf.archive.tasks import WORK_FOLDER, File, Outcome, Task
from cartoongan_tf.base.beam_runners import configure_file_systems
from cartoongan_tf.base.errors import InputError, NoPictureError
from cartoongan_tf.inference import file_pipeline
from cartoongan_tf.inference.draw_config import DrawConfig
from cartoongan_tf.inference.isolated import IsolatedCartoonizer, isolated_cartoonizer
from cartoongan_tf.inference.jobs import Job
from cartoongan_tf.media import film_parts
from cartoongan_tf.media.film_parts import PART_SUFFIX, Part
from cartoongan_tf.media.storage import folder_at, is_remote

Step = Literal["find", "draw", "join"]


@dataclasses.dataclass(frozen=True)
class WorkOrder:
    """All that a worker must know.

    Attributes:
      input_dir, output_dir: the folders, as `storage.folder_at` takes them; every worker must see them.
      config: the model, the look and the files.
      num_threads: number of threads to draw with; 0: one for each CPU that the worker may use.
      overwrite: whether to draw what exists, too.
      beam_options: options of Beam, as its file systems need some.
    """

    input_dir: str
    output_dir: str
    config: DrawConfig
    num_threads: int = 0
    overwrite: bool = False
    beam_options: tuple[str, ...] = ()

    def part_file(self, file: File, part: Part) -> str:
        """Return the path of a drawn part below the output folder; it differs where the result would differ."""
        settings = (self.input_dir, self.config)
        key = hashlib.sha256(repr((settings, file.size)).encode()).hexdigest()[:16]
        return f"{WORK_FOLDER}/{key}/{file.target}/{part.start}{PART_SUFFIX}"


@functools.lru_cache(maxsize=1)
def worker_of(order: WorkOrder) -> "ArchiveWorker":
    """Return this process's worker, which loads its model once."""
    return ArchiveWorker(order)


class ArchiveWorker:
    """A worker; its methods may be called from several threads, which take turns."""

    def __init__(self, order: WorkOrder):
        self._order = order
        configure_file_systems(order.beam_options)
        self._input = folder_at(order.input_dir)
        self._output = folder_at(order.output_dir)
        self._render = order.config.render_options()
        self._files = order.config.file_options()
        self._lock = threading.Lock()
        self._process_end = contextlib.ExitStack()  # holds what is open until then
        self._cartoonizer: IsolatedCartoonizer | None = None
        self._source_end = contextlib.ExitStack()  # holds the copy of the last source
        self._source = (File("", ""), Path())

    def work(self, step: Step, task: Task) -> Outcome:
        """Do a task: find a film's parts, draw a picture, a film or its parts, or join a film's parts.

        Raises:
          InputError: the model cannot be loaded.
          OSError: a result cannot be written, because the disk is full for example.
        """
        steps: dict[Step, Callable[[Task], Outcome]] = {"find": self._find, "draw": self._draw, "join": self._join}
        with self._lock:
            if step == "draw":
                self._load()
            begin = time.perf_counter()
            job = Job(Path(task.file.source), Path(task.file.target))
            outcome = file_pipeline.attempt(job, steps[step], task)
            if isinstance(outcome, InputError):
                is_other = isinstance(outcome, NoPictureError)
                outcome = Outcome(task.file, "no picture" if is_other else "skipped", problem=str(outcome))
            return outcome._replace(secs=time.perf_counter() - begin)

    def _load(self) -> IsolatedCartoonizer:
        if self._cartoonizer is not None:
            return self._cartoonizer
        if multiprocessing.current_process().daemon:
            variable = "DASK_DISTRIBUTED__WORKER__DAEMON=False"
            raise InputError(f"a worker may start no process to draw in; set {variable} where Dask's workers start")
        config = self._order.config
        model = config.model_or_style
        if is_remote(model):
            folder, _, name = model.rpartition("/")
            model = str(self._process_end.enter_context(folder_at(folder).local_copy(name)))
        cartoonizer = self._process_end.enter_context(
            isolated_cartoonizer(
                model, config.method, config.drawing_size_or_default, lambda done: None, self._order.num_threads
            )
        )
        cartoonizer.load()
        self._cartoonizer = cartoonizer
        return cartoonizer

    def _find(self, task: Task) -> Outcome:
        with self._local_copy(task.file) as film:
            parts = film_parts.find_parts(film, task.file.target)
        return Outcome(task.file, "drawn", parts=tuple(parts))

    def _draw(self, task: Task) -> Outcome:
        file = task.file
        if task.parts:
            return self._draw_parts(task)
        if not self._order.overwrite and self._output.exists(file.target):  # by a worker that was lost after that
            return Outcome(file, "kept")
        draw = file_pipeline.cartoonize_film if file.is_film else file_pipeline.cartoonize_picture
        with self._local_copy(file) as source, self._new_file(file.target) as target:
            remarks = draw(Job(source, target), self._load(), self._render, self._files)
        return Outcome(file, "drawn", remarks=tuple(remarks))

    def _draw_parts(self, task: Task) -> Outcome:
        for part in task.parts:
            name = self._order.part_file(task.file, part)
            if self._output.exists(name):
                continue
            with self._local_copy(task.file) as film, self._new_file(name) as target:
                draw = file_pipeline.frame_drawer(Job(film, target), self._load(), self._render)
                film_parts.draw_part(film, part, target, draw, self._files.batch_size, self._files.quality)
        return Outcome(task.file, "drawn")

    def _join(self, task: Task) -> Outcome:
        file = task.file
        with contextlib.ExitStack() as stack:
            film = stack.enter_context(self._local_copy(file))
            target = stack.enter_context(self._new_file(file.target))
            names = [self._order.part_file(file, part) for part in task.parts]
            parts = [stack.enter_context(self._output.local_copy(name)) for name in names]
            files = self._files
            remarks = film_parts.join_parts(film, target, task.parts, parts, files.quality, files.keep_metadata)
        return Outcome(file, "drawn", remarks=tuple(remarks))

    @contextlib.contextmanager
    def _local_copy(self, file: File) -> Iterator[Path]:
        """Yield a source's path on this machine; errors name its path in the archive.

        A copy is kept until the next source, as several parts of a film may follow one another.
        """
        if self._source[0] != file:
            self._source = (file, self._fetch(file))
        path = self._source[1]
        try:
            yield path
        except InputError as error:
            raise type(error)(str(error).replace(str(path), file.source)) from error

    def _fetch(self, file: File) -> Path:
        self._source = (File("", ""), Path())
        self._source_end.close()
        try:
            return self._source_end.enter_context(self._input.local_copy(file.source))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise InputError(f"{file.source}: cannot be read ({error}); run the same command again") from error

    @contextlib.contextmanager
    def _new_file(self, name: str) -> Iterator[Path]:
        """Yield a path on this machine; the file there is copied to the output folder when the block succeeds."""
        with tempfile.TemporaryDirectory() as place:
            path = Path(place, PurePosixPath(name).name)
            yield path
            self._output.put(name, path)
