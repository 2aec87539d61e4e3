"""Files and folders that are whole or absent: written beside their place, then renamed into it."""

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
    fcntl = None

# Tells this process from an earlier one of the same number; letters alone, a number follows.
_PROCESS = "".join(secrets.choice(string.ascii_letters) for _ in range(8))
_numbers = itertools.count()


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
    new_folders = [folder for folder in path.parents if not folder.exists()]  # innermost first
    if path.is_dir() and any(path.iterdir()):
        raise IsADirectoryError(errno.EISDIR, "a folder with something in it", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.{_PROCESS}{next(_numbers)}.partial{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if not error.filename or str(temporary) in str(error.filename):  # a full disk is reported without one
            error.filename = str(path)
        raise
    finally:
        _remove(temporary)
        for folder in new_folders:
            with contextlib.suppress(OSError):  # as a rule there is something in it now
                folder.rmdir()


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write a file for programs, whole or not at all; raises as `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def nearest_existing(path: str | os.PathLike) -> Path:
    """Return the path itself, or the nearest folder around it that exists."""
    path = Path(path).absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def move_aside(path: str | os.PathLike) -> Path:
    """Rename a damaged file, so that it can be looked at and is in nobody's way; returns its new path."""
    path, now = Path(path), datetime.datetime.now(datetime.UTC)
    aside = path.with_name(f"{path.stem}.damaged_{now:%Y%m%dT%H%M%S}{path.suffix}")
    os.replace(path, aside)
    return aside


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Keep other runs out of a folder within the block; the lock goes with this process, however it ends.

    Args:
      folder: made where it is missing.

    Raises:
      InputError: another process holds the lock.
      OSError: the folder cannot be made, or cannot be written to.
    """
    os.makedirs(folder, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):  # found now, not after an hour
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
        raise InputError(f"{folder}: another run is writing there; wait for it, or name another folder") from None
    except OSError:
        return  # some network file systems know no locks


def _remove_leftovers(path: Path) -> None:
    """Remove what processes that run no more left of a file; other threads' unfinished files stay."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.(\d+)\.([A-Za-z]+)\d+\.partial{re.escape(path.suffix)}")
    for leftover in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"):
        found = name.fullmatch(leftover.name)
        if found and found[2] != _PROCESS and (int(found[1]) == os.getpid() or not _is_running(int(found[1]))):
            _remove(leftover)


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
