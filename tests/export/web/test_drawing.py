"""The page's cartoons against Python's, in a real browser."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from export.web import browser, page
from tests.export.web.visitor import decode, encode
from tests.helpers import draw
from tests.profiles import DISPLAY_P3, rgb_profile

pytestmark = pytest.mark.slow
FEW = 1e-4  # the share of values that may differ by more than a level: the enlargement makes more of such a level


@pytest.fixture(scope="module")
def photo():
    """A photo that `ink` draws smaller and enlarges."""
    small = draw(3, 330, 390)
    return cv2.resize(np.asarray(small), (990, 770), interpolation=cv2.INTER_CUBIC)


def _set_taste(visitor, strength, keep_colors):
    visitor.page.evaluate(
        """([strength, keepColors]) => {
          document.getElementById('strength').value = 100 * strength;
          document.getElementById('keep-colors').checked = keepColors;
        }""",
        [strength, keep_colors],
    )


@pytest.mark.parametrize(("strength", "keep_colors"), [(1, False), (0.6, False), (1, True), (0.35, True)])
def test_a_download_is_what_cartoonize_draws(visit, page_styles, photo, strength, keep_colors):
    visitor = visit()
    _set_taste(visitor, strength, keep_colors)
    visitor.choose(("holiday.beach.png", encode(photo)))
    name, content = visitor.save()
    assert name == "holiday.beach-cartoon.png"
    expected = page_styles[0].load()(photo, strength, keep_colors).astype(int)
    assert (np.abs(decode(content) - expected) > 1).mean() < FEW


@pytest.mark.parametrize("names", [browser.CHROMIUM, browser.FIREFOX], ids=["chromium", "firefox"])
def test_the_export_finds_the_page_equal_to_python(page_styles, page_files, monkeypatch, names):
    program = browser.find_browser(names)
    if not program:
        pytest.skip(f"no {names[0]} on this machine")
    monkeypatch.setattr(browser, "find_browser", lambda: program)
    photos = [np.asarray(draw(seed, 60, 81)) for seed in (1, 2)]
    entry = page.check_page(page_styles, page_files, photos)
    assert entry.parity.psnr_db > page.BUDGET_DB and entry.parity.num_photos == 4
    assert "drew 2 photos" in entry.proof


def test_small_and_odd_sizes_are_drawn_in_one_piece(visit, page_styles):
    visitor = visit()
    for height, width in ((1, 1), (5, 93), (250, 7), (203, 301)):
        picture = np.asarray(draw(height, height, width))
        visitor.choose((f"{height}.png", encode(picture)))
        assert visitor.problem == ""
        cartoon = decode(visitor.save()[1])
        assert np.abs(cartoon - page_styles[0].load()(picture)).max() <= 1


def test_a_style_with_norms_draws_photos_in_their_own_size(visit, page_styles):
    visitor = visit()
    picture = np.asarray(draw(1, 150, 201))
    visitor.choose(("photo.png", encode(picture)))
    visitor.page.check("[value=small]")
    visitor.wait_for_state("ready")
    cartoon = decode(visitor.save()[1])
    assert np.abs(cartoon - page_styles[1].load()(picture)).max() <= 1


def test_24_megapixels_are_saved_in_full(visit):
    visitor = visit()
    rows = np.linspace(0, 255, 4000, dtype=np.uint8)[:, np.newaxis, np.newaxis]
    picture = np.broadcast_to(rows, (4000, 6000, 3)).copy()
    picture[1000:3000, 2000:4000] = (200, 30, 60)
    visitor.choose(("large.jpg", encode(picture, "JPEG", quality=80)))
    name, content = visitor.save()
    assert name == "large-cartoon.jpg"
    assert Image.open(io.BytesIO(content)).size == (6000, 4000)


def test_transparency_is_kept_in_png_and_white_in_jpeg(visit, page_styles):
    visitor = visit()
    picture = np.dstack([np.asarray(draw(2, 96, 120)), np.full((96, 120), 255, np.uint8)])
    picture[:, :40, 3] = 0
    visitor.choose(("logo.png", encode(picture)))
    cartoon = visitor.save()[1]
    white = np.where(picture[..., 3:] > 0, picture[..., :3], 255)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(cartoon)))[..., 3], picture[..., 3])
    assert np.abs(decode(cartoon)[:, 40:] - page_styles[0].load()(white)[:, 40:]).max() <= 1
    visitor.page.select_option("#format", "image/jpeg")
    name, content = visitor.save()
    assert name == "logo-cartoon.jpg"
    assert decode(content)[:, :24].min() > 240


def test_a_photo_of_a_phone_is_upright(visit, page_styles):
    visitor = visit()
    picture = np.asarray(draw(6, 120, 200))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it right
    visitor.choose(("phone.jpg", encode(picture, "JPEG", quality=98, exif=exif)))
    visitor.page.select_option("#format", "image/png")
    cartoon = decode(visitor.save()[1])
    expected = page_styles[0].load()(np.ascontiguousarray(np.rot90(picture, -1)))
    assert cartoon.shape == (200, 120, 3)
    assert np.abs(cartoon - expected).mean() < 3  # JPEG's loss


def test_display_p3_becomes_srgb(visit):
    visitor = visit()
    p3_profile = rgb_profile(2.2, DISPLAY_P3)
    picture = np.full((64, 64, 3), (200, 100, 60), np.uint8)
    visitor.choose(("p3.png", encode(picture, icc_profile=p3_profile)))
    _set_taste(visitor, 0, False)
    visitor.page.dispatch_event("#strength", "input")
    visitor.wait_for_state("ready")
    converted = ImageCms.profileToProfile(
        Image.fromarray(picture), ImageCms.ImageCmsProfile(io.BytesIO(p3_profile)), ImageCms.createProfile("sRGB")
    )
    shown = decode(visitor.save()[1])
    assert np.abs(shown - np.asarray(converted).astype(int)).max() <= 2
    assert np.abs(shown[0, 0] - picture[0, 0]).max() > 5


def test_webgpu_draws_what_the_processor_draws(start_browser, address, page_styles):
    from tests.export.web.conftest import GPU
    from tests.export.web.visitor import Visitor

    browser = start_browser(*GPU)
    visitor = Visitor(browser.new_context(), address)
    visitor.open("?backend=webgpu")
    assert "WebGPU" in visitor.page.text_content("#runtime"), visitor.problem
    picture = np.asarray(draw(4, 64, 64))
    visitor.choose(("photo.png", encode(picture)))
    cartoon = decode(visitor.save()[1])
    browser.close()
    assert np.abs(cartoon - page_styles[0].load()(picture)).max() <= 1
