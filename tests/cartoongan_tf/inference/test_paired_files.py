"""A .tflite file beside a .keras file: when it is used, and that it draws without TensorFlow."""

import configparser
import os
import shutil
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from cartoongan_tf import Cartoonizer, styles
from cartoongan_tf.base import machine, memory, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference import tflite_facts, tflite_runtime
from cartoongan_tf.inference.keras_runtime import KerasRuntime
from cartoongan_tf.inference.openvino_model import FasterFromSecond, OpenVINOGenerator
from cartoongan_tf.inference.paired_runtime import PairedRuntime
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.inference.tflite_runtime import TFLiteRuntime
from cartoongan_tf.media import pictures
from export import drawing_file, tflite, tflite_graphs, write_tflite
from tests.films import make_film
from tests.helpers import REPOSITORY, draw

pytestmark = pytest.mark.usefixtures("no_gpu")
NO_TENSORFLOW = "raise ImportError('drawing asked for it')"


@pytest.fixture
def without_tensorflow(no_gpu, tmp_path):
    """The environment of a process that can import what requirements-drawing.txt names, and not TensorFlow."""
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    required = set(filter(None, parser["options"]["install_requires"].splitlines()))
    for_drawing = set((REPOSITORY / "requirements-drawing.txt").read_text().splitlines()[2:])
    assert for_drawing < required
    blocked = {canonicalize_name(Requirement(text).name) for text in required - for_drawing}
    assert {"tensorflow", "keras", "scipy"} <= blocked
    for name, packages in metadata.packages_distributions().items():
        if not blocked.isdisjoint(map(canonicalize_name, packages)) and name.isidentifier():
            (tmp_path / "blocked" / name).mkdir(parents=True)
            (tmp_path / "blocked" / name / "__init__.py").write_text(NO_TENSORFLOW)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "blocked"), str(REPOSITORY)])}


def test_programs_draw_everything_without_tensorflow(tmp_path, without_tensorflow):
    """Pictures, a folder, a pipe, an animation and a film, by the bundled style."""
    album = tmp_path / "album"
    album.mkdir()
    for seed in range(2):
        pictures.write_picture(album / f"{seed}.png", draw(seed))
    frames = [Image.fromarray(draw(seed)) for seed in range(3)]
    frames[0].save(album / "moving.gif", save_all=True, append_images=frames[1:], duration=50)
    make_film(album / "film.mp4")
    command = [sys.executable, "-m", "cartoongan_tf.cartoonize"]
    run = subprocess.run([*command, str(album)], env=without_tensorflow, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    results = sorted(path.name for path in (tmp_path / "album-cartoon").iterdir())
    assert results == ["0.png", "1.png", "film.mp4", "moving.gif"]
    piped = (album / "0.png").read_bytes()
    run = subprocess.run([*command, "-"], env=without_tensorflow, input=piped, capture_output=True, timeout=300)
    assert run.stdout == (tmp_path / "album-cartoon" / "0.png").read_bytes()
    assert b"TensorFlow" not in run.stderr, run.stderr


def test_films_of_generators_with_norms_are_drawn_without_tensorflow(paired, without_tensorflow, tmp_path):
    make_film(tmp_path / "film.mp4")
    command = [sys.executable, "-m", "cartoongan_tf.cartoonize", f"--model={paired}", str(tmp_path / "film.mp4")]
    run = subprocess.run(command, env=without_tensorflow, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "film-cartoon.mp4").exists()


def test_a_file_without_the_signature_for_films_does_not_count(paired, tmp_path, monkeypatch, capsys):
    """Films drawn by it would flicker."""
    path = shutil.copy(paired, tmp_path / "generator.keras")
    monkeypatch.setattr(tflite, "build_film_graph", tflite_graphs.build_picture_graph)
    drawing_file.write_beside(path)
    assert isinstance(load_runtime(path), KerasRuntime)
    assert "export.write_tflite renews it" in capsys.readouterr().err
    monkeypatch.undo()
    drawing_file.write_beside(path)
    assert TFLiteGenerator.load(path.with_suffix(".tflite")).no_statistics is not None


def test_python_draws_without_tensorflow(without_tensorflow):
    script = "import numpy, sys; from cartoongan_tf import Cartoonizer; cartoonizer = Cartoonizer.load(); "
    script += "photo = numpy.zeros((20, 30, 3), numpy.uint8); cartoonizer(photo); cartoonizer.film()(photo[None]); "
    script += "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], env=without_tensorflow, capture_output=True, text=True, timeout=300
    )
    assert run.stdout == "[]\n", run.stderr


def test_a_style_draws_as_keras_does():
    path = styles.all_styles()[styles.DEFAULT].generator
    runtime = load_runtime(path)
    assert isinstance(runtime, TFLiteRuntime)
    photos = np.stack([draw(seed, 150, 201) for seed in range(2)])
    difference = np.abs(runtime.draw(photos).astype(int) - KerasRuntime.load(path).draw(photos))
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


def test_a_generator_with_norms_uses_both_files(paired, cartoonizer, monkeypatch, capsys):
    runtime = load_runtime(paired)
    assert isinstance(runtime, PairedRuntime)
    drawn = Cartoonizer(runtime)(draw(0))
    assert np.abs(drawn.astype(int) - cartoonizer(draw(0))).max() <= 1
    assert not capsys.readouterr().err
    frames = np.stack([draw(seed) for seed in range(3)])
    np.testing.assert_allclose(Cartoonizer(runtime).film()(frames).astype(int), cartoonizer.film()(frames), atol=1)
    in_bands = Cartoonizer(runtime, "banded")(draw(0))
    assert np.abs(in_bands.astype(int) - cartoonizer(draw(0))).max() <= 1
    assert capsys.readouterr().err.count("TensorFlow") == 1


def test_a_tflite_file_counts_for_just_its_keras_file(paired, light_path, tmp_path):
    other = tmp_path / "other.keras"
    assert tflite_facts.find_beside(paired) == paired.with_suffix(".tflite")
    shutil.copy(light_path, other)
    assert tflite_facts.find_beside(other) is None
    shutil.copy(paired.with_suffix(".tflite"), other.with_suffix(".tflite"))
    assert tflite_facts.find_beside(other) is None
    assert isinstance(load_runtime(other), KerasRuntime)
    content = paired.with_suffix(".tflite").read_bytes()
    for damaged in (b"", b"no model", content[:100], content[: len(content) // 2], content[:-100]):
        other.with_suffix(".tflite").write_bytes(damaged)
        assert tflite_facts.find_beside(other) is None, len(damaged)


def test_with_a_gpu_tensorflow_draws(paired, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_DEVICES", tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert isinstance(load_runtime(paired), PairedRuntime)
    (tmp_path / "nvidia1").touch()
    assert isinstance(load_runtime(paired), KerasRuntime)
    monkeypatch.setattr(program, "has_tensorflow", lambda: False)
    assert isinstance(load_runtime(paired), PairedRuntime)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert isinstance(load_runtime(paired), PairedRuntime)


def test_a_file_that_differs_from_keras_is_not_written(light_path, tmp_path, monkeypatch):
    path = tmp_path / "generator.keras"
    shutil.copy(light_path, path)
    monkeypatch.setattr(tflite, "FP32_BUDGET_DB", 1000.0)
    with pytest.raises(InputError, match=r"generator\.tflite: not written: .* dB .* 1000"):
        drawing_file.write_beside(path)
    assert not path.with_suffix(".tflite").exists()


def test_the_file_of_a_checkpoint_is_written_on_request(light_path, tmp_path, capsys):
    path = shutil.copy(light_path, tmp_path / "generator.keras")
    assert write_tflite.main(["x", f"--model={path}"]) == 0
    assert tflite_facts.find_beside(path)
    assert write_tflite.main(["x", f"--model={tmp_path}/none.keras"]) == 1
    assert "none.keras: no such file" in capsys.readouterr().err


def test_a_written_file_is_kept(paired):
    before = paired.with_suffix(".tflite").stat().st_mtime_ns
    assert drawing_file.write_beside(paired) == paired.with_suffix(".tflite")
    assert paired.with_suffix(".tflite").stat().st_mtime_ns == before


def test_openvino_draws_the_same_where_it_is_installed(monkeypatch, tmp_path):
    """Pictures in one piece and in tiles, of several sizes."""
    pytest.importorskip("openvino", reason="openvino is not installed")
    path = styles.all_styles()[styles.DEFAULT].generator
    monkeypatch.setattr(machine, "has_avx512", lambda: False)
    litert = load_runtime(path)
    monkeypatch.setattr(machine, "has_avx512", lambda: True)
    openvino = load_runtime(path)
    assert isinstance(openvino, TFLiteRuntime)
    for method in ("whole", "banded"):
        for size in ((150, 201), (16, 8)):
            photo = draw(0, *size)
            difference = np.abs(Cartoonizer(openvino, method)(photo).astype(int) - Cartoonizer(litert, method)(photo))
            assert difference.max() <= 1, (method, size)
    generator = TFLiteGenerator.load(path.with_suffix(".tflite"))
    changed = FasterFromSecond(generator, path.with_suffix(".tflite"), b"other content")
    photo = np.zeros((1, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(changed(photo), changed(photo))  # both by LiteRT
    monkeypatch.setattr(TFLiteGenerator, "__call__", lambda *_: pytest.fail("LiteRT drew the second picture"))
    openvino.draw(draw(0)[np.newaxis])


def test_openvino_pins_no_threads():
    """Several processes would compute on the same CPUs."""
    pytest.importorskip("openvino", reason="openvino is not installed")
    generator = OpenVINOGenerator(styles.all_styles()[styles.DEFAULT].generator.with_suffix(".tflite"), num_threads=1)
    assert generator._model.get_property("ENABLE_CPU_PINNING") is False
    assert generator._model.get_property("INFERENCE_NUM_THREADS") == 1


def test_openvino_draws_no_file_that_differs_from_keras(models, monkeypatch):
    """Float32 files alone were compared with it."""
    monkeypatch.setattr(machine, "has_avx512", lambda: True)
    monkeypatch.setattr(tflite_runtime, "FasterFromSecond", lambda *_: pytest.fail("OpenVINO loaded it"))
    load_runtime(models["fp16"])


def test_without_tensorflow_a_large_picture_gets_the_usual_advice(paired, monkeypatch):
    monkeypatch.setattr(program, "has_tensorflow", lambda: False)
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**6)
    with pytest.raises(InputError, match=r"--long_side=\d+ fits"):
        Cartoonizer.load(paired)(draw(0, 200, 200))
