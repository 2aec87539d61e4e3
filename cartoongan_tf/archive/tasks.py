"""The pieces of work of an archive, each done by one worker, and their outcomes. They travel between machines."""

from typing import Any, Literal, NamedTuple

from cartoongan_tf.media import film_formats
from cartoongan_tf.media.film_parts import Part

WORK_FOLDER = ".archive"  # in the output folder: parts of films, and reports of workers, until they are used

Status = Literal["drawn", "kept", "skipped", "no picture"]


class File(NamedTuple):
    """A picture or a film of the archive.

    Attributes:
      source: path below the input folder, with "/".
      target: path of its result below the output folder.
      size: size in bytes; -1 where it is unknown.
    """

    source: str
    target: str
    size: int = -1

    @property
    def is_film(self) -> bool:
        return film_formats.is_film(self.source)


class Task(NamedTuple):
    """A file, and the parts of it to work on; without parts, it is worked on as a whole."""

    file: File
    parts: tuple[Part, ...] = ()


class Outcome(NamedTuple):
    """The outcome of a task.

    Attributes:
      file: its file.
      status: "drawn": done; "kept": it had a result; "skipped": a picture or film that cannot be used; "no picture":
        a file of another kind.
      secs: time it took, in seconds.
      problem: reason why it has no result.
      remarks: remarks on the result.
      parts: the film's parts, where these were to be found; none for a film to be drawn in one piece.
    """

    file: File
    status: Status
    secs: float = 0.0
    problem: str = ""
    remarks: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @classmethod
    def from_json(cls, fields: list[Any]) -> "Outcome":
        """Return the outcome that `json` wrote as a list."""
        file, status, secs, problem, remarks, parts = fields
        return cls(File(*file), status, secs, problem, tuple(remarks), tuple(Part(*part) for part in parts))
