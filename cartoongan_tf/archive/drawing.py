"""The way of an archive: the parts of its films are found, pictures and parts are drawn, and the parts are joined."""

import collections
from collections.abc import Callable, Mapping, Sequence

from cartoongan_tf.archive.tasks import File, Outcome, Task
from cartoongan_tf.archive.worker import Step
from cartoongan_tf.media.film_parts import Part

# Does a step's tasks, on any number of workers, and returns their outcomes in any order.
RunStep = Callable[[Step, Sequence[Task]], list[Outcome]]


def draw_files(files: Sequence[File], run: RunStep) -> list[Outcome]:
    """Draw files; return one outcome for each.

    Args:
      files: the files without a result.
      run: function that does the work.
    """
    films = [file for file in files if file.is_film]
    found = run("find", [Task(film) for film in films])
    parts = {outcome.file: outcome.parts for outcome in found if outcome.status == "drawn"}
    drawn = run("draw", _draw_tasks(files, parts))
    unusable = {outcome.file: outcome for outcome in (*found, *drawn) if outcome.problem}
    in_parts = {film: film_parts for film, film_parts in parts.items() if film_parts and film not in unusable}
    joined = run("join", [Task(film, film_parts) for film, film_parts in in_parts.items()])
    in_one_piece = [outcome for outcome in drawn if not parts.get(outcome.file)]
    secs: dict[File, float] = collections.defaultdict(float)
    for outcome in (*found, *drawn, *joined):
        secs[outcome.file] += outcome.secs
    last = {outcome.file: outcome for outcome in (*in_one_piece, *joined)} | unusable
    return [outcome._replace(secs=secs[file], parts=()) for file, outcome in last.items()]


def _draw_tasks(files: Sequence[File], parts: Mapping[File, Sequence[Part]]) -> list[Task]:
    """Return the tasks of drawing, those that take longest first: a worker that begins one late keeps all waiting."""
    whole = [Task(film) for film, film_parts in parts.items() if not film_parts]
    in_parts = [Task(film, (part,)) for film, film_parts in parts.items() for part in film_parts]
    pictures = [Task(file) for file in files if not file.is_film]
    return [*whole, *in_parts, *sorted(pictures, key=lambda task: -task.file.size)]
