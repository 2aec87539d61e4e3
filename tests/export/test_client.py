"""The client against servers on real sockets: gRPC by the real protos, REST in the real shapes."""

import io
import json
import re
import shutil
import socket
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge
from export import client
from export.serving import layout
from tests.export.serving import server
from tests.helpers import draw


@pytest.fixture(params=["grpc", "rest"])
def ask(request):
    """Run the client over gRPC or REST."""
    address = request.getfixturevalue(f"{request.param}_address")

    def run(*arguments, model="demo"):
        flags = [f"--server={address}", f"--model={model}"]
        if request.param == "rest":
            flags.append("--rest")
        return client.main(["client", *flags, *map(str, arguments)])

    return run


def _expected_file(session, path, **options):
    """The server's answer, by the signature that has these options."""
    signature = {0: "encoded", 2: "styled", 4: "each"}[len(options)]
    inputs = {name: [value] for name, value in options.items()}
    return session.predict(signature, image_bytes=[path.read_bytes()], **inputs)["cartoon_bytes"][0]


def _expected(session, path, **options):
    return np.asarray(Image.open(io.BytesIO(_expected_file(session, path, **options))))


def test_a_photo_comes_back_as_the_model_draws_it(ask, session, photo_path, capsys):
    assert ask(photo_path) == 0
    cartoon = photo_path.with_name("photo-cartoon.png")
    assert str(cartoon) in capsys.readouterr().out
    np.testing.assert_array_equal(pictures.read_picture(cartoon), _expected(session, photo_path))


def test_strength_and_size_reach_the_server(ask, session, photo_path):
    mild = photo_path.with_name("mild.png")
    assert ask(photo_path, "--strength=0.5", "--long_side=20", f"--output={mild}") == 0
    drawn = pictures.read_picture(mild)
    assert drawn.shape == (14, 20, 3)
    np.testing.assert_array_equal(drawn, _expected(session, photo_path, strength=0.5, long_side=20))
    assert ask(photo_path, "--strength=0.5", f"--output={mild}", "--overwrite") == 0
    expected = _expected(session, photo_path, strength=0.5, long_side=0)
    np.testing.assert_array_equal(pictures.read_picture(mild), expected)


def test_a_smaller_cartoon_is_enlarged_to_the_size_of_the_photo(ask, photo_path, monkeypatch):
    small = draw(1, 30, 40)
    answer = pictures.encode(pictures.Picture([small]), ".png")
    monkeypatch.setattr(client.RemoteModel, "draw", lambda *_: answer)
    cartoon = photo_path.with_name("photo-cartoon.png")
    height, width = pictures.read_picture(photo_path).shape[:2]
    assert ask(photo_path) == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), enlarge(small, height, width))
    assert ask(photo_path, "--long_side=40", "--overwrite") == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), small)


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


def test_the_servers_reason_for_a_refusal_is_shown(ask, tmp_path, capsys):
    pictures.write_picture(tmp_path / "large.png", draw(0, 101, 100))
    (tmp_path / "damaged.gif").write_bytes(b"GIF89a and no more")
    assert ask(tmp_path / "large.png", tmp_path / "damaged.gif", "--long_side=101") == 1
    error = capsys.readouterr().err
    assert re.search(r"large\.png: .*100 x 101 .*10000.*long_side", error)
    assert re.search(r"damaged\.gif: .*GIF", error) and "node" not in error
    assert ask(tmp_path / "large.png", "--long_side=100") == 0


def test_colors_and_jpeg_reach_the_server(ask, session, photo_path):
    options = {"strength": 0.5, "long_side": 0, "keep_colors": True, "format": "png"}
    cartoon = photo_path.with_name("photo-cartoon.png")
    assert ask(photo_path, "--strength=0.5", "--keep_colors") == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), _expected(session, photo_path, **options))
    jpeg = photo_path.with_name("photo-cartoon.jpg")
    assert ask(photo_path, "--long_side=20", "--format=jpg") == 0
    options = {"strength": 1, "long_side": 20, "keep_colors": False, "format": "jpeg"}
    assert jpeg.read_bytes() == _expected_file(session, photo_path, **options)
    assert ask(photo_path, f"--output={jpeg}", "--overwrite") == 0
    drawn = _expected(session, photo_path)
    assert jpeg.read_bytes() == pictures.encode(pictures.Picture([drawn]), ".jpg")


def test_a_bad_picture_is_named_with_colors_too(ask, tmp_path, capsys):
    (tmp_path / "damaged.gif").write_bytes(b"GIF89a and no more")
    assert ask(tmp_path / "damaged.gif", "--keep_colors") == 1
    assert re.search(r"damaged\.gif: the GIF file holds no picture", capsys.readouterr().err)


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


def test_pictures_with_loss_are_sent_as_jpeg(ask, session, tmp_path):
    Image.fromarray(draw(1, 20, 30)).save(tmp_path / "photo.avif", quality=80)
    sent = pictures.encode(pictures.read(tmp_path / "photo.avif"), ".jpg")
    (tmp_path / "same.jpg").write_bytes(sent)
    assert ask(tmp_path / "photo.avif") == 0
    expected = _expected(session, tmp_path / "same.jpg")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)


def test_a_bmp_that_a_server_does_not_take_is_converted(ask, session, tmp_path):
    Image.fromarray(draw(1, 20, 30)).quantize(16).save(tmp_path / "photo.bmp")
    Image.open(tmp_path / "photo.bmp").convert("RGB").save(tmp_path / "same.png")
    assert ask(tmp_path / "photo.bmp") == 0
    expected = _expected(session, tmp_path / "same.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)


def test_other_kinds_without_loss_are_sent_as_png(ask, session, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw(1, 20, 30)).save(tmp_path / "photo.webp", lossless=True, exif=exif)
    Image.fromarray(np.rot90(draw(1, 20, 30), -1)).save(tmp_path / "same.png")
    assert ask(tmp_path / "photo.webp") == 0
    expected = _expected(session, tmp_path / "same.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)


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


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_readmes_example_of_curl_runs(rest_address, session, tmp_path, monkeypatch):
    """As somebody would paste it, with this server's port."""
    text = layout.readme_text("demo", ["demo"], 10_000, 0, 1152.0, 4e6).replace("localhost:8501", rest_address)
    (curl,) = re.findall(r"^```sh\n(printf.*?)^```", text, re.MULTILINE | re.DOTALL)
    pictures.write_picture(tmp_path / "photo.jpg", draw(1, 40, 50))
    monkeypatch.chdir(tmp_path)
    subprocess.run(["sh", "-ec", curl], check=True, timeout=60)
    assert json.loads((tmp_path / "answer.json").read_text())["predictions"]
    drawn = np.asarray(Image.open("cartoon.png"))
    np.testing.assert_array_equal(drawn, _expected(session, tmp_path / "photo.jpg"))


def test_the_readmes_example_of_python_runs(rest_address, session, tmp_path, monkeypatch):
    text = layout.readme_text("demo", ["demo"], 10_000, 0, 1152.0, 4e6).replace("localhost:8501", rest_address)
    assert "{{" not in text
    pictures.write_picture(tmp_path / "photo.jpg", draw(1, 40, 50))
    monkeypatch.chdir(tmp_path)
    (python,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", python], check=True, timeout=60)
    expected = _expected(session, tmp_path / "photo.jpg", strength=0.8, long_side=1024)
    np.testing.assert_array_equal(np.asarray(Image.open("cartoon.png")), expected)
