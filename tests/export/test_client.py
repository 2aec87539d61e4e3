"""The client against servers on real sockets: gRPC by the real protos, REST in the real shapes."""

import shutil
import socket
import threading

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from benchmarks import prediction_server as server
from cartoongan_tf.media import pictures
from export import client
from tests.helpers import draw


def test_a_folder_is_drawn_and_existing_results_are_kept(ask, tmp_path, capsys):
    for seed in range(3):
        pictures.write_picture(tmp_path / "photos" / f"{seed}.jpg", draw(seed, 20, 20))
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    assert ask(tmp_path / "photos") == 0
    said = capsys.readouterr()
    assert "notes.txt" in said.err and "skipped 1" in said.out
    assert len(list((tmp_path / "photos-cartoon").glob("*.png"))) == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "photos-cartoon").iterdir()}
    assert ask(tmp_path / "photos") == 0
    assert "kept 3" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "photos-cartoon").iterdir()}


class OlderSession:
    """A model that was exported before there was the signature `each`."""

    def __init__(self, session):
        self._session = session
        self.signatures = {name: value for name, value in session.signatures.items() if name != "each"}

    def __getattr__(self, name):
        return getattr(self._session, name)


@pytest.mark.parametrize("flags, serve", [((), server.grpc_server), (("--rest",), server.rest_server)])
def test_a_model_that_was_exported_earlier(flags, serve, session, photo_path, capsys):
    with serve(server.PredictionServicer({"demo": {1: OlderSession(session)}})) as address:
        command = ["client", f"--server={address}", "--model=demo", *flags, str(photo_path)]
        assert client.main([*command, "--keep_colors"]) == 1
        assert "--keep_colors" in capsys.readouterr().err
        assert client.main([*command, "--strength=0.5", "--format=jpg"]) == 0


def test_a_new_folder_is_made_for_the_results(ask, photo_path, tmp_path):
    assert ask(photo_path, f"--output={tmp_path / 'drawn'}") == 0
    assert (tmp_path / "drawn" / "photo-cartoon.png").exists()


def test_films_are_skipped(ask, photo_path, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    shutil.copy(photo_path, tmp_path / "photos")
    (tmp_path / "photos" / "clip.mp4").touch()
    assert ask(tmp_path / "photos") == 0
    assert "clip.mp4" in capsys.readouterr().err


def test_a_model_that_is_not_served(ask, photo_path, capsys):
    assert ask(photo_path, model="other") == 1
    assert "--model=other" in capsys.readouterr().err
    assert ask(photo_path, "--model_version=7") == 1
    assert "--model_version=7" in capsys.readouterr().err
    assert not photo_path.with_name("photo-cartoon.png").exists()


@pytest.mark.parametrize("flags", [(), ("--rest",)])
def test_no_server(flags, photo_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    assert client.main(["client", f"--server={address}", "--model=demo", *flags, str(photo_path)]) == 1
    error = capsys.readouterr().err
    assert f"--server={address}" in error and "8500" in error and "Traceback" not in error


@pytest.mark.parametrize("flags", [(), ("--rest",)])
def test_a_server_that_never_answers(flags, photo_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        command = ["client", f"--server={address}", "--model=demo", "--timeout_secs=0.2", *flags, str(photo_path)]
        assert client.main(command) == 1
    error = capsys.readouterr().err
    assert f"--server={address}" in error and "--timeout_secs" in error


@pytest.mark.parametrize(
    "body, named",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "--model=demo"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", "REST"),
        (b"HTTP/1.1 500 Broken\r\nContent-Length: 500\r\n\r\n{}", "500: Broken"),
        (b"\0\0\x12\x04 what a gRPC port says", "REST"),
    ],
)
def test_rest_from_something_that_is_no_model_server(body, named, photo_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.sendall(body)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):  # closing on unread bytes would reset the connection
                    pass

        threading.Thread(target=answer, daemon=True).start()
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        assert client.main(["client", f"--server={address}", "--model=demo", "--rest", str(photo_path)]) == 1
    assert named in capsys.readouterr().err


class OtherModel(prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):
        return predict_pb2.PredictResponse()


class ExhaustedModel(prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "OOM when allocating")


@pytest.mark.parametrize("servicer, named", [(OtherModel(), "--model=demo"), (ExhaustedModel(), "--long_side")])
def test_grpc_from_models_of_another_kind(servicer, named, photo_path, capsys):
    with server.grpc_server(servicer) as address:
        assert client.main(["client", f"--server={address}", "--model=demo", str(photo_path)]) == 1
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "flag",
    [
        "--server=localhost",
        "--server=http://localhost:8501",
        "--server=localhost:99999",
        "--strength=2",
        "--long_side=-1",
        "--long_side=99999999999",
        "--timeout_secs=0",
        "--timeout_secs=inf",
        "--timeout_secs=nan",
        "--model_version=99999999999999999999",
        "--model=a b",
        "--model=",
        "--output=a.gif",
        "--format=gif",
    ],
)
def test_flags_that_cannot_be_used(flag, capsys):
    assert client.main(["client", "--server=localhost:1", "--model=demo", flag, "photo.jpg"]) == 2
    assert flag.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.jpg", "clip.mp4", "notes.jpg"])
def test_sources_that_cannot_be_used_are_not_sent(name, tmp_path, capsys):
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "notes.jpg").write_text("private")
    assert client.main(["client", "--server=localhost:1", "--model=demo", str(tmp_path / name)]) == 1
    error = capsys.readouterr().err
    assert name in error and "--server" not in error
