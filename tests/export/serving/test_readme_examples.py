"""The examples in the README of an export, run as somebody would paste them, with a server's port."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import prediction_server as server
from cartoongan_tf.media import pictures
from export.serving import layout, saved_model
from export.serving.session import ServingSession
from tests.export import answers
from tests.export.serving.mutations import encode
from tests.helpers import draw, draw_photo_like

NEEDS_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")


def _examples(language, address):
    """The README's blocks of code in a language."""
    text = layout.readme_text("demo", ["demo"], 10_000, 0, 1152.0, 4e6).replace("localhost:8501", address)
    assert "{{" not in text
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def _run_curl(address):
    (curl,) = [block for block in _examples("sh", address) if block.startswith("printf")]
    subprocess.run(["sh", "-ec", curl], check=True, timeout=60)


@NEEDS_CURL
def test_curl(rest_address, session, tmp_path, monkeypatch):
    pictures.write_picture(tmp_path / "photo.jpg", draw(1, 40, 50))
    monkeypatch.chdir(tmp_path)
    _run_curl(rest_address)
    assert json.loads((tmp_path / "answer.json").read_text())["predictions"]
    drawn = np.asarray(Image.open("cartoon.png"))
    np.testing.assert_array_equal(drawn, answers.expected(session, tmp_path / "photo.jpg"))


@NEEDS_CURL
@pytest.mark.slow
@pytest.mark.parametrize("drawing_size", [200, 0])
def test_curl_with_a_photo_of_twelve_megapixels(generator, drawing_size, tmp_path, monkeypatch):
    """Draw a photo at the model's size, or if it has none, as large as it may be."""
    saved_model.write_version(generator, tmp_path / "1", "demo", draw(0), 1_300_000, drawing_size)
    photo = draw_photo_like(0, 300, 400).repeat(10, 0).repeat(10, 1)
    pictures.write_picture(tmp_path / "photo.jpg", photo)
    monkeypatch.chdir(tmp_path)
    with server.rest_server(server.PredictionServicer({"demo": {1: ServingSession(tmp_path / "1")}})) as address:
        _run_curl(address)
    long_side = max(Image.open("cartoon.png").size)
    assert long_side == (drawing_size or 1311)


def test_python(rest_address, session, tmp_path, monkeypatch):
    pictures.write_picture(tmp_path / "photo.jpg", draw(1, 40, 50))
    monkeypatch.chdir(tmp_path)
    python, _ = _examples("python", rest_address)
    subprocess.run([sys.executable, "-c", python], check=True, timeout=60)
    expected = answers.expected(session, tmp_path / "photo.jpg", strength=0.8, long_side=1024)
    np.testing.assert_array_equal(np.asarray(Image.open("cartoon.png")), expected)


def test_python_with_a_bad_picture_among_several(rest_address, session, tmp_path, monkeypatch):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(encode(draw(number, 40, 50), "JPEG"))
    (tmp_path / "1.jpg").write_bytes(encode(draw(1), "WEBP"))
    monkeypatch.chdir(tmp_path)
    _, python = _examples("python", rest_address)
    result = subprocess.run([sys.executable, "-c", python], check=True, timeout=60, capture_output=True, text=True)
    assert re.fullmatch(r"1\.jpg a WebP file: .*", result.stdout.strip())
    options = {"strength": 1.0, "long_side": 0, "keep_colors": True, "format": "jpeg"}
    for number in (0, 2):
        expected = answers.expected_file(session, tmp_path / f"{number}.jpg", **options)
        assert (tmp_path / "cartoons" / f"{number}.jpg").read_bytes() == expected
    assert len(list((tmp_path / "cartoons").iterdir())) == 2
