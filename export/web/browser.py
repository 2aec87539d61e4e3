"""The check of a page in a real browser without a window: it draws photos as a visitor would."""

import contextlib
import io
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture
from export.web import site
from export.web.server import PageServer, reader_of
from export.web.site import PageStyle

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
FIREFOX = (
    "firefox",
    "firefox-esr",
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    r"C:\Program Files\Mozilla Firefox\firefox.exe",
)
_PATIENCE_S = 180  # for one photo
_END_S = 10


class BrowserError(Exception):
    """A browser that does not start, or does not answer."""


class Drawings(NamedTuple):
    """The cartoons that a browser drew.

    Attributes:
      browser: its name and version.
      cartoons: uint8 RGB [H, W, 3] of each photo in order, by style.
    """

    browser: str
    cartoons: dict[str, list[np.ndarray]]


def find_browser(names: Sequence[str] = (*CHROMIUM, *FIREFOX)) -> str | None:
    """Return the program of the first browser that is on this machine; None if there is none.

    Args:
      names: names of programs on the PATH, and their usual places.
    """
    return next(filter(None, map(shutil.which, names)), None)


def draw_in_browser(
    browser: str, files: Mapping[str, bytes], styles: Sequence[PageStyle], photos: Sequence[np.ndarray]
) -> Drawings:
    """Open a page in a browser, and let it draw photos.

    Args:
      browser: the browser's program.
      files: the page's files by path.
      styles: the page's styles.
      photos: uint8 RGB [H, W, 3] each, not larger than the styles' drawing sizes.

    Raises:
      InputError: the page reports a problem.
      BrowserError: the browser does not start, or does not answer.
    """
    names = [f"photo-{number}.png" for number in range(len(photos))]
    plan = {"photos": names, "styles": [style.name for style in styles]}
    served = site.check_files(files)
    for name, photo in zip(names, photos, strict=True):
        served[name] = pictures.encode(Picture([photo]), ".png")
    served["check.json"] = json.dumps(plan).encode()
    posts: queue.Queue[tuple[str, bytes]] = queue.Queue()
    with (
        PageServer(reader_of(served), receive=lambda path, body: posts.put((path, body))) as server,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
    ):
        process = _start(browser, f"{server.address}check.html", profile)
        try:
            drawn = dict(_receive(posts, process))
        finally:
            _end(process)
    cartoons = {style.name: [drawn[f"check/{style.name}/{name}"] for name in names] for style in styles}
    return Drawings(_version(browser), cartoons)


def _start(browser: str, address: str, profile: str) -> subprocess.Popen:
    if "firefox" in Path(browser).name.lower():
        flags = ["--headless", "--no-remote", "--profile", profile]
    else:
        flags = ["--headless=new", "--no-first-run", "--disable-extensions", f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox refuses the administrator
    quiet = subprocess.DEVNULL
    try:
        return subprocess.Popen([browser, *flags, address], stdin=quiet, stdout=quiet, stderr=quiet)
    except OSError as error:
        raise BrowserError(f"it does not start ({error})") from error


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _receive(posts: queue.Queue, process: subprocess.Popen) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the path and the picture of each post until the page is done."""
    while (post := _next_post(posts, process))[0] != "check/done":
        path, body = post
        if path == "check/failed":
            raise InputError(f"nothing was written: the page does not work in a browser: {body.decode()}")
        yield path, pictures.read_picture(io.BytesIO(body))


def _next_post(posts: queue.Queue, process: subprocess.Popen) -> tuple[str, bytes]:
    for _ in range(_PATIENCE_S):
        with contextlib.suppress(queue.Empty):
            return posts.get(timeout=1)
        if process.poll() is not None:
            raise BrowserError(f"it ended with status {process.returncode}")
    raise BrowserError(f"it drew nothing for {_PATIENCE_S} s")


def _version(browser: str) -> str:
    if os.name == "nt":  # a browser there opens a window for --version
        return Path(browser).stem
    text = subprocess.run([browser, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"[A-Z][\w ]+? [\d.]+", text)
    return match[0] if match else Path(browser).stem
