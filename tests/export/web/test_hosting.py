"""The page on its host, in a real browser: without a network, without headers, in a new version, with files missing."""

import numpy as np
import pytest

from export.web import site
from export.web.server import PageServer, reader_of
from tests.export.web.visitor import Visitor, encode
from tests.helpers import draw

pytestmark = pytest.mark.slow
PHOTO = encode(np.asarray(draw(0, 90, 120)))


def test_the_page_works_without_a_network_after_the_first_visit(chromium, page_files):
    context = chromium.new_context()
    with PageServer(reader_of(page_files)) as server:
        visitor = Visitor(context, server.address)
        visitor.open()
    context.set_offline(True)
    visitor.page.reload()
    visitor.wait_for_state("ready")
    visitor.choose(("photo.png", PHOTO))
    assert "photo.png is drawn" in visitor.status
    assert visitor.save()[0] == "photo-cartoon.png"
    visitor.page.click("[value=small]")  # never loaded
    visitor.wait_for_state("problem")
    assert "small" in visitor.problem
    visitor.page.goto(f"{visitor.address}LICENSES.txt")
    assert "Apache" in visitor.page.text_content("body")
    visitor.leave()


def test_a_host_without_headers_gets_threads_by_the_service_worker(chromium, page_files, monkeypatch):
    monkeypatch.setattr("export.web.server.HEADERS", {})
    with PageServer(reader_of(page_files)) as server:
        visitor = Visitor(chromium.new_context(), server.address)
        visitor.open()
        visitor.page.wait_for_function("() => document.getElementById('runtime').textContent")
        assert visitor.page.evaluate("crossOriginIsolated")
        assert not visitor.errors
        visitor.leave()


def test_two_pages_of_one_host_keep_their_own_files(chromium, page_files):
    files = {f"{folder}/{path}": content for folder in ("one", "two") for path, content in page_files.items()}
    context = chromium.new_context()
    with PageServer(reader_of(files)) as server:
        visitor = Visitor(context, server.address)
        for folder in ("one/index.html", "two/index.html"):
            visitor.open(folder)
    context.set_offline(True)
    for folder in ("one/index.html", "two/index.html"):
        visitor.open(folder)
        assert visitor.problem == ""
    visitor.leave()


def test_a_new_version_takes_the_place_of_the_old_one(chromium, page_styles):
    files = dict(site.make_site(page_styles[:1]))
    with PageServer(reader_of(files)) as server:
        visitor = Visitor(chromium.new_context(), server.address)
        visitor.open()
        files |= site.make_site([page_styles[0]._replace(description="A new version.")])
        visitor.page.reload()
        visitor.page.wait_for_function("() => document.getElementById('style-text').textContent === 'A new version.'")
        visitor.wait_for_state("ready")
        visitor.choose(("photo.png", PHOTO))
        assert "is drawn" in visitor.status
        visitor.leave()


def test_files_that_come_back_are_used_again(chromium, page_files):
    files = dict(page_files)
    gone = {path: files.pop(path) for path in list(files) if "threaded" in path or path == "styles/small.tflite"}
    with PageServer(reader_of(files)) as server:
        visitor = Visitor(chromium.new_context(service_workers="block"), server.address)
        visitor.open()
        assert "cannot be loaded" in visitor.problem
        files |= {path: content for path, content in gone.items() if "threaded" in path}
        visitor.choose(("photo.png", PHOTO))
        assert "is drawn" in visitor.status
        visitor.page.click("[value=small]")
        visitor.wait_for_state("problem")
        assert "small" in visitor.problem
        files |= gone
        visitor.page.click("[value=small]")
        visitor.wait_for_state("ready")
        assert visitor.save()[0] == "photo-cartoon.png"
        visitor.leave()


def test_a_photo_chosen_while_the_page_starts_is_drawn(chromium, page_files):
    with PageServer(reader_of(page_files)) as server:
        visitor = Visitor(chromium.new_context(service_workers="block"), server.address)
        visitor.page.route("**/worker.js", lambda route: (visitor.page.wait_for_timeout(1000), route.continue_()))
        visitor.page.goto(server.address)
        visitor.page.set_input_files("#files", {"name": "early.png", "mimeType": "", "buffer": PHOTO})
        visitor.page.wait_for_function("() => document.getElementById('status').textContent === 'early.png is drawn.'")
        visitor.leave()


def test_the_page_can_be_installed(visit):
    visitor = visit()
    answer = visitor.context.new_cdp_session(visitor.page).send("Page.getInstallabilityErrors")
    reasons = {error["errorId"] for error in answer["installabilityErrors"]}
    assert reasons <= {"in-incognito"}  # as every new visitor here is
