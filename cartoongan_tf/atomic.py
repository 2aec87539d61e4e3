"""Files and folders that are whole or absent: written beside their place, then renamed into it."""

import contextlib
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
      a path beside `path` with the same suffix (writers choose formats by it), where nothing exists: what a killed
      run left there is removed.

    Raises:
      OSError: the folder cannot be written, or `path` is a folder with something in it.
    """
    path = Path(os.path.abspath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.partial{path.suffix}")
    _remove(temporary)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        _remove(temporary)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
