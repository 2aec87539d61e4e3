"""The server of a page on this machine, with the headers that let a page use threads, and with compression."""

import functools
import gzip
import http.server
import posixpath
import sys
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

from export.web.site import COMPRESSED

HOST = "127.0.0.1"
# Only an isolated page gets threads: https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript",
}
_ARE_COMPRESSED = (".png", ".jpg")
_FROM_BYTES = 1000  # shorter files gain nothing

Read = Callable[[str], bytes | None]


class PageServer(http.server.ThreadingHTTPServer):
    """A server of a page's files on loopback.

    Attributes:
      num_bytes: number of bytes that were sent, without headers.
    """

    daemon_threads = True

    def __init__(self, read: Read, port: int = 0, receive: Callable[[str, bytes], None] | None = None):
        """
        Args:
          read: returns the content of a file by its path in the page's folder; None: there is none.
          port: the port; 0: any that is free.
          receive: takes the path and the body of what a page posts; None: nothing is taken.

        Raises:
          OSError: the port is in use.
        """
        super().__init__((HOST, port), _Handler)
        self.read = read
        self.receive = receive
        self.compress = functools.cache(gzip.compress)
        self.num_bytes = 0

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_port}/"

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a visitor left
            super().handle_error(request, client_address)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


def reader_of(files: Mapping[str, bytes]) -> Read:
    """Return a function that reads files from memory."""
    return files.get


def reader_of_folder(folder: Path) -> Read:
    """Return a function that reads files of a folder, and none outside of it."""
    root = folder.resolve()

    def read(path: str) -> bytes | None:
        file = (root / path).resolve()
        return file.read_bytes() if file.is_relative_to(root) and file.is_file() else None

    return read


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._path()
        content = self.server.read(path)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        suffix = posixpath.splitext(path)[1]
        headers = {"Content-Type": _TYPES.get(suffix, "application/octet-stream")}
        takes_gzip = "gzip" in self.headers.get("Accept-Encoding", "")
        if takes_gzip and suffix not in _ARE_COMPRESSED and len(content) >= _FROM_BYTES:
            content = self.server.read(path + COMPRESSED) or self.server.compress(content)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._answer(content, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.receive is None:
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
            return
        self.server.receive(self._path(), body)
        self._answer(b"", {})

    def _path(self) -> str:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        named = f"{path}index.html" if path.endswith("/") else path
        return posixpath.normpath(named).lstrip("/")

    def _answer(self, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {**HEADERS, **headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.server.num_bytes += len(content)

    def log_message(self, format: str, *args) -> None:
        pass
