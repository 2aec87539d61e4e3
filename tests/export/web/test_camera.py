"""The camera on the page, in a real browser that shows it a moving pattern."""

import numpy as np
import pytest

from tests.export.web.conftest import CAMERA
from tests.export.web.visitor import Visitor, encode
from tests.helpers import draw

pytestmark = pytest.mark.slow
PHOTO = encode(np.asarray(draw(0, 90, 120)))
IS_LIVE = "() => /\\d+ pixels, \\d+ frames/.test(document.getElementById('live-rate').textContent)"
LIVE_TRACKS = "() => window.tracks.filter(track => track.readyState === 'live').length"


def _start(visitor):
    visitor.page.click("#camera-start")
    visitor.page.wait_for_function(IS_LIVE)


def _watch_tracks(visitor):
    """Keep all tracks that the page gets."""
    visitor.page.evaluate(
        """() => {
          window.tracks = [];
          const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = async wishes => {
            const stream = await ask(wishes);
            await new Promise(resolve => setTimeout(resolve, 300));
            window.tracks.push(...stream.getTracks());
            return stream;
          };
        }"""
    )


def test_the_camera_is_drawn_live_and_gives_a_photo(visit):
    visitor = visit()
    visitor.page.evaluate("document.querySelector('[value=small]').checked = true")
    _start(visitor)
    visitor.page.click("#snapshot")
    visitor.page.wait_for_function("() => document.getElementById('status').textContent.includes('camera.png is')")
    assert visitor.page.is_hidden("#live")
    assert visitor.save()[0] == "camera-cartoon.png"


def test_a_refused_camera_gets_a_sentence(start_browser, address):
    browser = start_browser(CAMERA[0], "--deny-permission-prompts")
    visitor = Visitor(browser.new_context(), address)
    visitor.open()
    visitor.page.click("#camera-start")
    visitor.wait_for_state("problem")
    assert "camera" in visitor.problem
    visitor.choose(("photo.png", PHOTO))
    assert "is drawn" in visitor.status
    browser.close()


def test_the_photo_before_comes_back_after_the_camera(visit):
    visitor = visit()
    visitor.choose(("photo.png", PHOTO))
    _start(visitor)
    assert visitor.page.is_hidden("#compare") and visitor.page.is_hidden("#download")
    visitor.page.click("#camera-stop")
    assert visitor.page.is_visible("#compare") and visitor.page.is_hidden("#live")
    assert visitor.save()[0] == "photo-cartoon.png"


def test_the_camera_stops_whatever_is_done_while_it_starts(visit):
    visitor = visit()
    _watch_tracks(visitor)
    visitor.page.dblclick("#camera-start")
    visitor.page.wait_for_function(IS_LIVE)
    visitor.page.click("#camera-stop")
    assert visitor.page.evaluate(LIVE_TRACKS) == 0
    visitor.page.click("#camera-start")
    visitor.choose(("photo.png", PHOTO))
    visitor.page.wait_for_function("() => window.tracks.length === 2")
    visitor.page.wait_for_function(f"() => ({LIVE_TRACKS})() === 0")
    assert visitor.problem == "" and visitor.page.is_visible("#compare")


def test_a_camera_that_ends_is_reported(visit):
    visitor = visit()
    _watch_tracks(visitor)
    _start(visitor)
    visitor.page.evaluate("window.tracks.forEach(track => track.dispatchEvent(new Event('ended')))")
    visitor.wait_for_state("problem")
    assert "camera" in visitor.problem and visitor.page.is_hidden("#live")
