"""A page with two styles, on a server of this machine, and a browser that visits it."""

import os

import pytest

from cartoongan_tf import styles
from cartoongan_tf.models.generator_file import load_generator
from export import tflite
from export.tflite_metadata import Metadata
from export.web import browser, site
from export.web.server import PageServer, reader_of
from export.web.site import PageStyle
from tests.export.web.visitor import Visitor

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # a moving pattern, always allowed
GPU = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")  # a graphics card in software


@pytest.fixture(scope="session")
def small_styles(converted):
    """Two small generators, the second one with norms."""
    return [
        PageStyle("light", "Light.", "CC-BY-4.0", 64, converted("light", "int8")),
        PageStyle("small", "Small.", "CC0-1.0", 0, converted("paper", "fp32")),
    ]


@pytest.fixture(scope="session")
def small_files(small_styles):
    return site.make_site(small_styles)


@pytest.fixture(scope="session")
def page_styles(small_styles):
    """`ink`, and a small generator with norms that draws photos in their own size."""
    ink = styles.all_styles()["ink"]
    content = tflite.convert(load_generator(ink.generator), "int8", Metadata("ink"))
    return [PageStyle("ink", ink.description, ink.license, ink.drawing_size, content), small_styles[1]]


@pytest.fixture(scope="session")
def page_files(page_styles):
    return site.make_site(page_styles)


@pytest.fixture(scope="session")
def address(page_files):
    with PageServer(reader_of(page_files)) as server:
        yield server.address


@pytest.fixture(scope="session")
def start_browser():
    """A function that starts a browser with more flags, or skips the test if there is none."""
    program = browser.find_browser(browser.CHROMIUM)
    if not program:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as driver:

        def start(*flags):
            sandbox = ["--no-sandbox"] if is_root else []
            return driver.chromium.launch(executable_path=program, args=[*flags, *sandbox])

        yield start


@pytest.fixture(scope="module")
def chromium(start_browser):
    running = start_browser(*CAMERA)
    yield running
    running.close()


@pytest.fixture
def visit(chromium, address):
    """A function that opens the page as a new visitor; afterwards it must have had no error and no stranger."""
    visitors = []

    def open_page(query="", **context):
        visitors.append(Visitor(chromium.new_context(**context), address))
        visitors[-1].open(query)
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.leave()
        assert not visitor.errors
        assert visitor.hosts <= {address.removesuffix("/")}
