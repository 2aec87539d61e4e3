"""Files and folders that are whole or absent: written beside their place, then renamed into it."""

import contextlib
import glob
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path to write a file or a folder to, and rename it to `path` when the block ends well.

    Args:
      path: where the result goes; missing parent folders are made. A file there is replaced; a folder there
        must be empty.

    Yields:
      a path beside `path` with the same suffix (writers choose formats by it), where nothing exists. What killed
      processes left there is removed.

    Raises:
      OSError: the folder cannot be written, or `path` is a folder with something in it.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"):
        if not _is_running(leftover.name.removesuffix(path.suffix).split(".")[-2]):
            _remove(leftover)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk is reported without one
        raise
    finally:
        _remove(temporary)


def _is_running(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return int(process_id) != os.getpid()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
