"""`cartoonize` as users run it: what ends the process of the model costs one picture."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from PIL import Image

from cartoongan_tf import cartoonize
from cartoongan_tf.base import memory
from cartoongan_tf.inference import isolated
from cartoongan_tf.media import pictures
from tests.films import make_film, write_film
from tests.helpers import REPOSITORY, draw

pytestmark = pytest.mark.isolated
DEADLY_PX = 33  # height of a picture that ends the process below


def load_mortal(report, model, method, drawing_size, num_threads):
    """Load no model; return what it is given to cartoonize, and end the process when that is DEADLY_PX high."""

    def answer(kind, *values):
        if kind in ("photo", "frames"):
            photos = values[0]
            if photos.shape[1] in (DEADLY_PX, DEADLY_PX + 1):
                os.kill(os.getpid(), signal.SIGABRT)
            return photos

    return answer


def test_it_gives_the_same_as_a_cartoonizer(generator_path, cartoonizer):
    photo = draw(0)
    frames = np.stack([draw(seed) for seed in range(3)])
    shown = []
    with isolated.isolated_cartoonizer(str(generator_path), "banded", None, shown.append) as apart:
        np.testing.assert_allclose(apart(photo[np.newaxis])[0].astype(int), cartoonizer(photo), atol=1)
        assert shown == sorted(shown) and 0 < shown[0] < 0.5 and shown[-1] == 1
        mixed = cartoonizer(photo, 0.5, keep_colors=True)
        np.testing.assert_allclose(apart(photo, 0.5, keep_colors=True).astype(int), mixed, atol=1)
        for options in ((0.9, 0.5), (0.9, 0.5, 0.7, True)):
            film = apart.film(*options)
            expected = cartoonizer.film(*options)
            for part in (frames[:2], frames[2:]):
                np.testing.assert_allclose(film(part).astype(int), expected(part), atol=1)
        with pytest.raises(ValueError, match="expected uint8"):
            apart(np.zeros((1, 0, 3, 3), np.uint8))


def test_a_death_costs_one_picture_and_one_film(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(isolated, "load_in_process", load_mortal)
    folder = tmp_path / "album"
    folder.mkdir()
    for name, height in (("a.png", 40), ("b.png", DEADLY_PX), ("c.png", 50), ("d.png", DEADLY_PX), ("e.png", 60)):
        Image.fromarray(draw(0, height, 40)).save(folder / name)
    make_film(folder / "film.mp4")
    write_film(folder / "deadly.mp4", [draw(frame, DEADLY_PX + 1, 64) for frame in range(3)])
    assert cartoonize.main(["cartoonize", str(folder)]) == 0
    results = sorted(path.name for path in (tmp_path / "album-cartoon").iterdir())
    assert results == ["a.png", "c.png", "e.png", "film.mp4"]
    output = capsys.readouterr()
    for name in ("b.png", "d.png", "deadly.mp4"):
        (line,) = [line for line in output.err.splitlines() if name in line and "Skipped" in line]
        assert "SIGABRT" in line and "--drawing_size" in line
    assert "skipped 3" in output.out
    assert cartoonize.main(["cartoonize", str(folder / "b.png"), f"--output={tmp_path}/b.png"]) == 1


def test_a_model_that_cannot_be_loaded_ends_the_program_with_a_sentence(tmp_path, capsys):
    pictures.write_picture(tmp_path / "a.png", draw(0))
    (tmp_path / "bad.keras").write_text("hello")
    assert cartoonize.main(["cartoonize", f"--model={tmp_path}/bad.keras", str(tmp_path / "a.png")]) == 1
    error = capsys.readouterr().err
    assert "bad.keras" in error and "Traceback" not in error


def test_a_folder_without_anything_to_do_starts_no_process(generator_path, tmp_path, monkeypatch):
    monkeypatch.setattr(isolated, "load_in_process", None)
    (tmp_path / "clip.mp4").write_text("no film")
    assert cartoonize.main(["cartoonize", f"--model={generator_path}", str(tmp_path / "clip.mp4")]) == 1


def test_a_script_may_come_from_anywhere(tmp_path):
    """From standard input, and from a file that does not ask whether it is the main one."""
    pictures.write_picture(tmp_path / "a.png", draw(0))
    script = f"""
import sys
from cartoongan_tf import cartoonize
from cartoongan_tf.inference import isolated
from {load_mortal.__module__} import load_mortal
isolated.load_in_process = load_mortal
sys.exit(cartoonize.main(["cartoonize", "a.png", "--output=" + OUTPUT]))
"""
    (tmp_path / "script.py").write_text(f"OUTPUT = 'file.png'{script}")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    for command, given in (([sys.executable, "script.py"], None), ([sys.executable, "-"], f"OUTPUT = '2.png'{script}")):
        done = subprocess.run(command, input=given, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("*.png")} == {"a.png", "file.png", "2.png"}


@contextlib.contextmanager
def _interruptible():
    """Let processes that are started in the block take Ctrl-C, though this one may run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_both_processes_end_together(generator_path, tmp_path, number, status):
    album = tmp_path / "album"
    pictures.write_picture(album / "0.png", draw(0, 300, 400))
    for index in range(1, 300):
        os.link(album / "0.png", album / f"{index}.png")
    command = [sys.executable, "-m", "cartoongan_tf.cartoonize", f"--model={generator_path}", str(album)]
    command.append("--method=banded")  # slow enough not to be done before the signal comes
    with _interruptible():
        program = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True)
    results = tmp_path / "album-cartoon"
    while program.poll() is None and len(list(results.glob("[!.]*.png"))) < 2:
        time.sleep(0.1)
    processes = psutil.Process(program.pid).children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(program.pid, number)  # as a terminal does: to all of them
    else:
        program.send_signal(number)
    error = program.communicate(timeout=60)[1]
    assert program.returncode == status and "Traceback" not in error, error
    assert number == signal.SIGTERM or "interrupted" in error
    assert not psutil.wait_procs(processes, timeout=60)[1]
    written = list(results.glob("[!.]*.png"))
    assert 2 <= len(written) < 300
    for path in written:
        assert pictures.read_picture(path).shape == (300, 400, 3)


@pytest.mark.slow
def test_a_phone_s_photo_is_drawn_in_bounded_memory(narrow_path, tmp_path, monkeypatch, capsys):
    """As on a processor without AVX-512 that draws it in bands; half a gigabyte and 90 bytes a pixel suffice."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    height, width = 3024, 4032
    photo = np.kron(draw(0, height // 20 + 1, width // 20 + 1), np.ones((20, 20, 1), np.uint8))[:height, :width]
    pictures.write_picture(tmp_path / "photo.jpg", photo)
    peaks = []
    stop = threading.Event()
    watcher = threading.Thread(target=_watch_memory, args=(peaks, stop))
    watcher.start()
    try:
        command = ["cartoonize", f"--model={narrow_path}", str(tmp_path / "photo.jpg")]
        assert cartoonize.main(command) == 0
    finally:
        stop.set()
        watcher.join()
    assert pictures.read_picture(tmp_path / "photo-cartoon.jpg").shape == (height, width, 3)
    assert max(peaks) < 1.2e9 + 40 * height * width
    shares = {int(share) for share in re.findall(r"(\d+)%", capsys.readouterr().err)}
    assert len(shares) > 3  # its bar moved within the picture


def _watch_memory(peaks, stop):
    """Note the memory of the process that draws, again and again."""
    while not stop.wait(0.2):
        for child in psutil.Process().children():
            try:
                peaks.append(child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


@pytest.mark.slow
def test_two_threads_share_the_memory_at_hand(narrow_path, monkeypatch):
    """Two large photos at once: the second waits where both together do not fit."""
    from cartoongan_tf import Cartoonizer  # imports TensorFlow, without which this module's processes start faster
    from cartoongan_tf.inference.runtimes import load_runtime

    runtime = load_runtime(narrow_path)
    cartoonizer = Cartoonizer(runtime, "banded")
    photo = np.tile(draw(0, 120, 160), (8, 8, 1))
    expected = cartoonizer(photo)
    needed = runtime.banded_bytes(*photo.shape[:2])
    monkeypatch.setattr(memory, "available_bytes", lambda: 1.5 * needed)
    at_once, most = [], []
    draw_in_bands = runtime.draw_in_bands

    def counted(*args, **kwargs):
        at_once.append(1)
        most.append(len(at_once))
        try:
            return draw_in_bands(*args, **kwargs)
        finally:
            at_once.pop()

    monkeypatch.setattr(runtime, "draw_in_bands", counted)
    results = []
    threads = [threading.Thread(target=lambda: results.append(cartoonizer(photo))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1 and len(results) == 2
    for result in results:
        assert np.abs(result.astype(int) - expected).max() <= 1
