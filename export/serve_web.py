"""Serve a page from export_model --formats=web on this machine.

    python -m export.serve_web exported/web

prints the address to open, and serves until Ctrl-C. Only programs on this machine can reach it.
"""

import dataclasses
import sys
import threading
from pathlib import Path

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Config, option
from export.web.server import PageServer, reader_of_folder

INDEX = "index.html"


@dataclasses.dataclass(frozen=True)
class ServeConfig(Config):
    """Settings for one run of the program."""

    port: int = option("Port to serve on; 0: any that is free.", 8000, at_least=0, at_most=65535)


def main(argv=None) -> int:
    return program.run(ServeConfig, _serve, __doc__, argv, takes_arguments=True)


def _serve(config: ServeConfig, arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise UsageError("name the folder of one page, as in: python -m export.serve_web exported/web")
    folder = Path(arguments[0])
    if not (folder / INDEX).is_file():
        raise InputError(
            f"{folder}: no page in it; python -m export.export_model --formats=web --output_dir=exported writes "
            "exported/web"
        )
    try:
        server = PageServer(reader_of_folder(folder), config.port)
    except OSError as error:
        raise InputError(f"--port={config.port}: cannot be used ({error.strerror}); give another, or 0") from error
    with server:
        try:
            print(f"Open {server.address} in a browser. Ctrl-C stops the server.", flush=True)
            threading.Event().wait()
        except KeyboardInterrupt:
            print("\nStopped.")


if __name__ == "__main__":
    sys.exit(main())
