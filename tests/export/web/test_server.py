"""The server of a page on this machine."""

import gzip
import http.client
import os
import signal
import subprocess
import sys

import pytest

from export import serve_web
from export.web.server import PageServer, reader_of_folder
from tests.helpers import REPOSITORY


@pytest.fixture
def folder(tmp_path):
    page = tmp_path / "web"
    (page / "runtime").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>" + "long " * 1000)
    (page / "runtime" / "a.wasm").write_bytes(b"\0asm" + bytes(5000))
    (page / "runtime" / "a.wasm.gz").write_bytes(gzip.compress(b"\0asm" + bytes(5000)))
    (tmp_path / "secret.txt").write_text("not for visitors")
    return page


@pytest.fixture
def get(folder):
    with PageServer(reader_of_folder(folder)) as server:

        def get(path, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()

        yield get


def test_pages_are_isolated_and_have_their_types(get, folder):
    status, headers, content = get("/?backend=cpu")
    assert (status, content) == (200, (folder / "index.html").read_bytes())
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert get("/runtime/a.wasm")[1]["Content-Type"] == "application/wasm"


def test_browsers_get_compressed_files(get, folder):
    takes_gzip = {"Accept-Encoding": "gzip, br"}
    _, headers, content = get("/runtime/a.wasm", **takes_gzip)
    assert headers["Content-Encoding"] == "gzip" and content == (folder / "runtime" / "a.wasm.gz").read_bytes()
    _, headers, content = get("/", **takes_gzip)
    assert headers["Content-Encoding"] == "gzip" and len(content) < 500
    assert gzip.decompress(content) == (folder / "index.html").read_bytes()


@pytest.mark.parametrize("path", ["/missing.js", "/../secret.txt", "/%2e%2e/secret.txt", "/runtime"])
def test_nothing_else_is_served(get, path):
    assert get(path)[0] == 404


def test_posts_are_refused(folder):
    with PageServer(reader_of_folder(folder)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("POST", "/check/done", body=b"x")
        assert connection.getresponse().status == 405


def test_errors_name_the_next_step(folder, tmp_path, capsys):
    assert serve_web.main(["serve_web"]) == 2
    assert "exported/web" in capsys.readouterr().err
    assert serve_web.main(["serve_web", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path) in error and "--formats=web" in error
    with PageServer(reader_of_folder(folder)) as server:
        assert serve_web.main(["serve_web", str(folder), f"--port={server.server_port}"]) == 1
        assert f"--port={server.server_port}" in capsys.readouterr().err


def test_the_program_prints_an_address_and_stops_by_ctrl_c(folder):
    command = [sys.executable, "-m", "export.serve_web", str(folder), "--port=0"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout.readline().startswith("Open http://localhost:")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
