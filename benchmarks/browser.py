"""Measure the page of export_model --formats=web in a real browser, against Python and onnxruntime-web.

    python -m benchmarks.browser --rounds=7

One alternating run times one picture in Python's LiteRT, in the page's runtime and in onnxruntime-web, in as many
threads each; medians count. Then a visitor opens the page for the first time, and draws a photo of one megapixel. It
needs Chromium, pip install playwright, npm, and npm ci in export/web/page.
"""

import dataclasses
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from cartoongan_tf import styles
from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture
from export.parity import OWN_PHOTOS
from export.web import browser, site
from export.web.server import PageServer, reader_of
from export.web.site import PageStyle

WORKERS = Path(__file__).with_name("browser_workers")
ONNXRUNTIME_WEB = "onnxruntime-web@1.30.0"
_PHOTO = "photo.jpg"
_ORT_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
_TIME = """([name, message]) => {
  window.workers ??= {};
  const worker = window.workers[name] ??= new Worker(name, name === 'onnxruntime.js' ? {type: 'module'} : {});
  return new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.onerror = event => reject(new Error(event.message));
    worker.postMessage(message);
  });
}"""
_DRAW = """async path => {
  const transfer = new DataTransfer();
  const photo = await (await fetch(path, {cache: 'no-store'})).blob();
  transfer.items.add(new File([photo], `${performance.now()}.jpg`));
  const longTasks = [];
  new PerformanceObserver(list => longTasks.push(...list.getEntries().map(task => task.duration)))
    .observe({type: 'longtask'});
  const isDrawn = () => document.getElementById('status').textContent.includes('is drawn');
  document.getElementById('status').textContent = '';
  const start = performance.now();
  document.dispatchEvent(Object.assign(new Event('drop'), {dataTransfer: transfer}));
  while (!isDrawn()) await new Promise(resolve => setTimeout(resolve, 5));
  return [performance.now() - start, Math.max(0, ...longTasks)];
}"""


@dataclasses.dataclass(frozen=True)
class BrowserConfig(Config):
    """Settings for one run."""

    style: str = option("Name of the style.", styles.DEFAULT)
    precision: Literal["fp32", "fp16", "int8", "dynamic"] = option("Precision of its .tflite file.", "int8")
    side: int = option("Height and width of the picture, in pixels.", 512, at_least=64)
    rounds: int = option("Number of rounds; medians count.", 7, at_least=1)


def main(argv=None) -> int:
    return program.run(BrowserConfig, _measure, __doc__, argv)


def _measure(config: BrowserConfig, _) -> None:
    chromium = browser.find_browser(browser.CHROMIUM)
    if not chromium:
        raise InputError("no Chromium on this machine: apt-get install chromium")
    program.start_tensorflow()
    style = _make_style(config.style, config.precision)
    files = site.make_site([style]) | _workers() | _onnxruntime(config.style) | {_PHOTO: _make_photo()}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, PageServer(reader_of(files)) as server:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = driver.chromium.launch(executable_path=chromium, args=flags)
        print(f"Chromium {running.version}, {os.cpu_count()} CPUs, {config.style} in {config.precision}")
        for threads in (1, os.cpu_count() or 1):
            page = running.new_page()
            page.goto(f"{server.address}README.md")
            _compare(page, style, files, config, threads)
            page.close()
        _visit(running, server, len(files[_PHOTO]))
        running.close()


def _compare(page, style: PageStyle, files: dict[str, bytes], config: BrowserConfig, threads: int) -> None:
    """Time all runtimes in turn."""
    (facts,) = json.loads(files["styles.json"])["styles"]
    python = TFLiteGenerator(style.tflite, style.path, threads)
    message = {"style": facts, "threads": threads, "side": config.side}
    methods: dict[str, Callable[[float], float]] = {
        "Python": functools.partial(_time_python, python, config.side),
        "the page": lambda seed: page.evaluate(_TIME, ["litert.js", message | {"seed": seed}]),
        "onnxruntime-web": lambda seed: page.evaluate(_TIME, ["onnxruntime.js", message | {"seed": seed}]),
    }
    times: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(config.rounds + 1):  # the first round warms up
        for name, run in methods.items():
            times[name].append(run(0.001 * (number + 1)))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    print(f"{config.side} px, {threads} threads: " + ", ".join(f"{name} {ms:.0f} ms" for name, ms in medians.items()))
    print(f"  page / Python {medians['the page'] / medians['Python']:.2f}", end=", ")
    print(f"page / onnxruntime-web {medians['the page'] / medians['onnxruntime-web']:.2f}")


def _time_python(python: TFLiteGenerator, side: int, seed: float) -> float:
    photo = np.sin(np.arange(side * side * 3) * seed).astype(np.float32).reshape(1, side, side, 3)
    start = time.perf_counter()
    python(photo)
    return 1000 * (time.perf_counter() - start)


def _visit(running, server: PageServer, photo_bytes: int) -> None:
    """Measure the first visit, and the time from the drop of a photo to its cartoon."""
    context = running.new_context()
    page = context.new_page()
    sent_before = server.num_bytes
    page.goto(server.address)
    page.wait_for_selector("body[data-state=ready]")
    drawn = [page.evaluate(_DRAW, _PHOTO)]
    num_bytes = server.num_bytes - sent_before - photo_bytes
    drawn += [page.evaluate(_DRAW, _PHOTO) for _ in range(5)]
    print(f"first visit, with one style: {num_bytes / 1e6:.2f} MB over the wire")
    warm = [milliseconds for milliseconds, _ in drawn[1:]]
    print(f"from the drop of 1 megapixel to its cartoon: {drawn[0][0]:.0f} ms, warm {statistics.median(warm):.0f} ms")
    print(f"longest task of the page's main thread meanwhile: {max(task for _, task in drawn):.0f} ms")


def _make_photo() -> bytes:
    photo = cv2.resize(pictures.read_picture(OWN_PHOTOS / "coffee.jpg"), (1224, 816), interpolation=cv2.INTER_CUBIC)
    return pictures.encode(Picture([photo]), ".jpg")


def _make_style(name: str, precision: str) -> PageStyle:
    from cartoongan_tf.models.generator_file import load_generator
    from export import tflite
    from export.tflite_metadata import Metadata

    style = styles.all_styles()[name]
    content = tflite.convert(load_generator(style.generator), precision, Metadata(name))
    return PageStyle(name, style.description, style.license, style.drawing_size, content)


def _workers() -> dict[str, bytes]:
    """Bundle the workers of this benchmark."""
    page = site.BUILT.parent
    esbuild = page / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        raise InputError(f"{page}: no modules; run npm ci in it")
    bundle = [str(esbuild), str(WORKERS / "litert.js"), "--bundle", "--minify", "--format=iife", "--log-level=error"]
    litert = subprocess.run(bundle, check=True, capture_output=True)
    return {"litert.js": litert.stdout, "onnxruntime.js": (WORKERS / "onnxruntime.js").read_bytes()}


def _onnxruntime(name: str) -> dict[str, bytes]:
    """Fetch onnxruntime-web, and convert the style for it."""
    from cartoongan_tf.models.generator_file import load_generator
    from export import onnx_file

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, ONNXRUNTIME_WEB], check=True)
        dist = Path(folder) / "node_modules" / "onnxruntime-web" / "dist"
        files = {f"ort/{file}": (dist / file).read_bytes() for file in _ORT_FILES}
    return files | {"style.onnx": onnx_file.convert(load_generator(styles.all_styles()[name].generator))}


if __name__ == "__main__":
    sys.exit(main())
