"""Complete files: each is written under a temporary name beside its place and renamed when it is complete."""

import contextlib
import datetime
import errno
import glob
import itertools
import json
import os
import re
import secrets
import shutil
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cartoongan_tf.base.errors import InputError

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

# Tells this process from an earlier one with the same process id. Letters only, because a number follows it.
_PROCESS = "".join(secrets.choice(string.ascii_letters) for _ in range(8))
_numbers = itertools.count()


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path, and rename it to `path` when the block succeeds.

    Args:
      path: place of the result. Missing parent folders are made; an existing file is replaced.

    Yields:
      a path beside `path`, with the same suffix, where nothing exists. Leftovers of killed processes are removed.

    Raises:
      OSError: the folder cannot be written, or `path` is a folder that is not empty.
    """
    path = Path(os.path.realpath(path))
    new_folders = [folder for folder in path.parents if not folder.exists()]  # the innermost first
    if path.is_dir() and any(path.iterdir()):
        raise IsADirectoryError(errno.EISDIR, "a folder that is not empty", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.{_PROCESS}{next(_numbers)}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if not error.filename or str(temporary) in str(error.filename):  # a full disk has no file name
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)
        for folder in new_folders:
            with contextlib.suppress(OSError):  # usually the result is in it
                folder.rmdir()


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write a JSON file completely or not at all; raises what `replacing` raises."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def nearest_existing(path: str | os.PathLike) -> Path:
    """Return the path itself, or the nearest folder around it that exists."""
    path = Path(path).absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def move_aside(path: str | os.PathLike) -> Path:
    """Rename a damaged file and return its new path, so that a new file can take its place."""
    path = Path(path)
    now = datetime.datetime.now(datetime.UTC)
    aside = path.with_name(f"{path.stem}.damaged_{now:%Y%m%dT%H%M%S}{path.suffix}")
    os.replace(path, aside)
    return aside


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Lock a folder against other runs within the block. The lock ends with this process at the latest.

    Args:
      folder: folder to lock; made if it is missing.

    Raises:
      InputError: another process holds the lock.
      OSError: the folder cannot be made, or cannot be written to.
    """
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):  # fail now, not after an hour
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: str | os.PathLike) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"{folder}: another run is writing to it; wait for that run, or name another folder") from None
    except OSError:
        return  # some network file systems have no locks


def is_unfinished_name(name: str) -> bool:
    """Return whether `replacing` gives such a name, without a folder, to a file that is not complete."""
    return re.fullmatch(r"\..+\.\d+\.[A-Za-z]{8}\d+\.partial(\.[^.]*)?", name) is not None


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished files of processes that have ended; those of running processes and of this one stay."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)\.([A-Za-z]+)\d+\.partial{re.escape(path.suffix)}")
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"):
        match = name.fullmatch(leftover.name)
        if match and not _is_unfinished(process_id=int(match[1]), process=match[2]):
            _remove(leftover)


def _is_unfinished(process_id: int, process: str) -> bool:
    """Return whether the process that began a file may still finish it."""
    is_this_process = process == _PROCESS
    return is_this_process or (process_id != os.getpid() and _is_running(process_id))


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it belongs to another user
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
