"""An export in a C++ program with nothing of Python in it, built against the library of TensorFlow's own wheel."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.export.serving.mutations import encode
from tests.helpers import draw

SOURCE = Path(__file__).with_name("serving_cc") / "serve_once.cc"


@pytest.fixture(scope="module")
def serve_once(tmp_path_factory):
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here (g++ or clang++)")
    program = tmp_path_factory.mktemp("cc") / "serve_once"
    library = Path(tf.sysconfig.get_lib())
    libraries = [next(library.glob(f"libtensorflow_{name}.so.*")) for name in ("cc", "framework")]
    command = [compiler, "-O1", str(SOURCE), "-o", str(program), *tf.sysconfig.get_compile_flags()]
    # Eigen's alignment must be that of the library, which the compiler would guess from this machine's processor.
    command += [
        "-std=c++17",
        "-DEIGEN_MAX_ALIGN_BYTES=64",
        "-Wl,--no-as-needed",
        *map(str, libraries),
        f"-Wl,-rpath,{library}",
    ]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr[-3000:]
    return program


def _run(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_each_signature_answers_in_cpp(serve_once, version, session, tmp_path):
    photo = draw(1, 30, 41)
    (tmp_path / "photo.rgb").write_bytes(photo.tobytes())
    result = _run(serve_once, version, "pixels", 30, 41, tmp_path / "photo.rgb", tmp_path / "cartoon.rgb")
    assert (result.returncode, result.stdout) == (0, "OK\n"), result.stderr
    cartoon = np.frombuffer((tmp_path / "cartoon.rgb").read_bytes(), np.uint8).reshape(photo.shape)
    expected = session.predict("serving_default", image=photo[np.newaxis])["cartoon"][0]
    assert np.abs(cartoon.astype(int) - expected).max() <= 1 and expected.std() > 10

    content = encode(photo, "JPEG")
    (tmp_path / "photo.jpg").write_bytes(content)
    assert _run(serve_once, version, "encoded", tmp_path / "photo.jpg", tmp_path / "a.png").returncode == 0
    assert _run(serve_once, version, "styled", tmp_path / "photo.jpg", tmp_path / "b.png", 0.5, 20).returncode == 0
    result = _run(serve_once, version, "each", tmp_path / "photo.jpg", tmp_path / "c.png", 0.5, 20, "png")
    assert (result.returncode, result.stdout) == (0, "\nOK\n"), result.stderr
    styled = {"image_bytes": [content], "strength": [0.5], "long_side": [20]}
    answers = [
        session.predict("encoded", image_bytes=[content]),
        session.predict("styled", **styled),
        session.predict("each", **styled, keep_colors=[True], format=["png"]),
    ]
    for name, answer in zip(("a.png", "b.png", "c.png"), answers, strict=True):
        drawn = tf.io.decode_png((tmp_path / name).read_bytes()).numpy()
        expected = tf.io.decode_png(answer["cartoon_bytes"][0]).numpy()
        assert np.abs(drawn.astype(int) - expected).max() <= 1, name


@pytest.mark.slow
def test_bad_pictures_are_refused_in_cpp(serve_once, version, tmp_path):
    """Refuse by INVALID_ARGUMENT, or in `each` by the status; also damage that only the decoder finds."""
    for content, sentence in (
        (b"hello", "not a picture"),
        (encode(draw(1, 400, 300), "PNG"), "has more than 100000"),
        (encode(draw(1), "JPEG")[:-300], "the JPEG file is damaged"),
    ):
        (tmp_path / "photo").write_bytes(content)
        place = (tmp_path / "photo", tmp_path / "cartoon.png")
        result = _run(serve_once, version, "encoded", *place)
        assert result.returncode == 3 and "INVALID_ARGUMENT" in result.stdout and sentence in result.stdout
        assert not (tmp_path / "cartoon.png").exists()
        result = _run(serve_once, version, "each", *place, 1, 0, "png")
        assert result.returncode == 0 and sentence in result.stdout and result.stdout.endswith("\nOK\n")
        assert (tmp_path / "cartoon.png").read_bytes() == b""
        (tmp_path / "cartoon.png").unlink()
