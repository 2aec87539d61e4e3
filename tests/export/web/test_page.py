"""The page in a real browser: what visitors do, and what goes wrong."""

import gzip
import io
import re

import numpy as np
import pytest
from PIL import Image

from tests.export.web.visitor import decode, encode
from tests.helpers import REPOSITORY, draw

pytestmark = pytest.mark.slow
AXE = REPOSITORY / "export/web/page/node_modules/axe-core/axe.min.js"
PHOTO = encode(np.asarray(draw(0, 300, 400)))


def test_the_divider_shows_the_cartoon_on_its_right(visit):
    visitor = visit()
    visitor.choose(("photo.png", PHOTO))
    visitor.page.focus("#divider")
    before = visitor.page.input_value("#divider")
    visitor.page.keyboard.press("ArrowRight")
    after = visitor.page.input_value("#divider")
    assert float(after) > float(before)
    clip = visitor.page.eval_on_selector("#cartoon", "cartoon => getComputedStyle(cartoon).clipPath")
    assert clip == f"inset(0px 0px 0px {after}%)"
    width = visitor.page.locator("#stage").bounding_box()["width"]
    visitor.page.locator("#stage").click(position={"x": 0.25 * width, "y": 9})
    assert 20 <= float(visitor.page.input_value("#divider")) <= 30
    pixels = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 99, 9).data].join()"
    assert visitor.page.eval_on_selector("#photo", pixels) != visitor.page.eval_on_selector("#cartoon", pixels)


def test_the_styles_show_the_photo_itself(visit):
    visitor = visit()
    visitor.choose(("photo.png", PHOTO))
    drawn = "() => [...document.querySelectorAll('.style canvas')].every(canvas => canvas.width === 160)"
    visitor.page.wait_for_function(drawn)
    pictures = [canvas.screenshot() for canvas in visitor.page.query_selector_all(".style canvas")]
    assert len(set(pictures)) == 2


def test_several_photos_are_saved_one_after_another(visit):
    visitor = visit()
    visitor.choose(("one.png", PHOTO), ("broken.png", PHOTO[:200]), ("two.jpg", _jpeg()))
    assert visitor.page.locator("#list button:first-child").all_text_contents() == ["one.png", "broken.png", "two.jpg"]
    saved = []
    visitor.page.on("download", lambda download: saved.append(download.suggested_filename))
    visitor.page.click("#download-all")
    visitor.page.wait_for_function(
        "() => document.getElementById('status').textContent.startsWith('Photo 3 of 3: two-')"
    )
    for _ in range(100):
        if len(saved) < 2:
            visitor.page.wait_for_timeout(100)
    assert saved == ["one-cartoon.png", "two-cartoon.png"]
    assert "broken.png" in visitor.problem
    visitor.page.click("#list li:last-child button")
    visitor.page.wait_for_function("() => document.getElementById('status').textContent.includes('two.jpg is drawn')")
    assert visitor.page.locator("[aria-current=true]").all_text_contents() == ["two.jpg"]
    visitor.page.click("[aria-label='Remove broken.png']")
    assert visitor.page.locator("#list li").count() == 2


def test_a_bad_first_photo_gives_its_place_to_the_next(visit):
    visitor = visit()
    visitor.choose(("diary.jpg", b"Dear diary"), ("good.png", PHOTO), until=("problem",))
    assert "diary.jpg" in visitor.problem
    assert visitor.save()[0] == "good-cartoon.png"


def test_nothing_else_can_be_done_while_a_file_is_made(visit):
    visitor = visit()
    visitor.choose(("large.png", _large()))
    visitor.page.click("#download")
    assert visitor.page.evaluate("['open', 'choices', 'photos'].every(id => document.getElementById(id).inert)")
    visitor.page.click("#cancel")
    visitor.wait_for_state("ready")
    assert visitor.status == "Cancelled."
    assert not visitor.page.evaluate("document.getElementById('choices').inert")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("text.jpg", b"Dear diary", "no picture"),
        ("empty.png", b"", "no picture"),
        ("short.jpg", None, "incomplete"),
        ("short.png", PHOTO[: len(PHOTO) // 2], "incomplete"),
        ("damaged.png", PHOTO[:60] + bytes(100) + PHOTO[160:], "damaged"),
        ("plan.svg", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    ],
)
def test_a_bad_file_gets_a_sentence_and_the_page_goes_on(visit, name, content, sentence):
    visitor = visit()
    visitor.choose(("good.png", PHOTO))
    visitor.choose((name, _jpeg()[:2000] if content is None else content))
    assert sentence in visitor.problem and name in visitor.problem
    assert visitor.page.evaluate("document.body.dataset.state") == "problem"
    assert visitor.save()[0] == "good-cartoon.png"
    assert visitor.problem == ""


def test_an_animated_picture_is_drawn_by_its_first_frame(visit, page_styles):
    visitor = visit()
    frames = [Image.fromarray(np.asarray(draw(seed, 40, 40))) for seed in (1, 2)]
    for format in ("GIF", "WEBP", "PNG"):
        file = io.BytesIO()
        lossless = {"lossless": True} if format == "WEBP" else {}
        frames[0].save(file, format, save_all=True, append_images=frames[1:], **lossless)
        visitor.choose((f"film.{format}", file.getvalue()))
        assert "first frame" in visitor.status, format
        first = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
        assert np.abs(decode(visitor.save()[1]) - page_styles[0].load()(first)).max() <= 1
    visitor.choose(("still.gif", encode(np.asarray(draw(1, 40, 40))[..., 0], "GIF")))
    assert "first frame" not in visitor.status


def test_a_drawing_can_be_canceled_and_the_next_one_works(visit):
    visitor = visit()
    visitor.choose(("large.png", _large()), until=("busy",))
    visitor.page.click("#cancel")
    visitor.wait_for_state("ready")
    assert visitor.status == "Cancelled."
    visitor.choose(("photo.png", PHOTO))
    assert visitor.save()[0] == "photo-cartoon.png"


def test_the_last_wish_counts(visit, page_styles):
    visitor = visit()
    visitor.choose(("photo.png", PHOTO))
    for strength in (80, 60, 40, 20, 0):
        visitor.page.evaluate(f"document.getElementById('strength').value = {strength}")
        visitor.page.dispatch_event("#strength", "input")
    visitor.wait_for_state("ready")
    assert visitor.page.text_content("#strength-text") == "0 %"
    pixels = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 99, 9).data].join()"
    assert visitor.page.eval_on_selector("#photo", pixels) == visitor.page.eval_on_selector("#cartoon", pixels)


def test_share_hands_over_the_file(visit):
    visitor = visit()
    visitor.page.evaluate(
        """() => {
          window.shared = [];
          navigator.canShare = () => true;
          navigator.share = async ({files}) => {
            window.shared.push(files[0].name);
            if (window.shared.length === 1) throw new DOMException('too late', 'NotAllowedError');
          };
        }"""
    )
    visitor.choose(("photo.png", PHOTO))
    visitor.page.click("#share")
    visitor.page.wait_for_function("() => document.getElementById('status').textContent.includes('Press Share again')")
    visitor.page.click("#share")
    visitor.page.wait_for_function("() => window.shared.length === 2")
    assert visitor.page.evaluate("window.shared") == ["photo-cartoon.png"] * 2
    assert visitor.problem == ""


def test_drop_and_paste(visit):
    visitor = visit()
    hand_over = """([bytes, event, key]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], `${event}.png`));
      document.dispatchEvent(Object.assign(new Event(event, {cancelable: true}), {[key]: transfer}));
    }"""
    for event, key in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        visitor.page.evaluate(hand_over, [list(PHOTO), event, key])
        visitor.page.wait_for_function(
            f"() => document.getElementById('status').textContent.includes('{event}.png is')"
        )


def test_threads_can_be_chosen(visit):
    assert "one thread" in visit("?threads=1&backend=cpu").page.text_content("#runtime")
    assert "3 threads" in visit("?threads=3&backend=cpu").page.text_content("#runtime")


def test_the_page_answers_while_it_draws(visit):
    visitor = visit()
    visitor.choose(("large.png", _large()), until=("busy",))
    visitor.page.fill("#strength", "50")
    visitor.page.dispatch_event("#strength", "input")
    assert visitor.page.text_content("#strength-text") == "50 %"
    assert visitor.page.evaluate("document.body.dataset.state") == "busy"
    visitor.wait_for_state("ready")
    assert visitor.status == "large.png is drawn."


@pytest.mark.parametrize("context", [{}, {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}])
def test_nothing_stops_people_who_read_it_otherwise(visit, context):
    if not AXE.exists():
        pytest.skip("no axe-core: npm ci in export/web/page")
    visitor = visit(bypass_csp=True, **context)
    for step in (
        lambda: None,
        lambda: visitor.choose(("a.png", PHOTO), ("b.png", PHOTO)),
        lambda: visitor.choose(("c", b"")),
    ):
        step()
        visitor.page.add_script_tag(path=AXE)
        violations = visitor.page.evaluate("axe.run().then(result => result.violations)")
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_first_visit_and_each_style_are_light(page_files):
    """All that a browser loads of a page with one style: at most 3.5 MB with gzip, and 0.9 MB for each other style."""
    loaded = ["index.html", "app.js", "style.css", "worker.js", "enlarger.js", "styles.json", "manifest.webmanifest"]
    loaded += ["icon-192.png", "service_worker.js", "styles/ink.tflite"]
    loaded += [f"runtime/litert_wasm_threaded_internal.{suffix}" for suffix in ("js", "wasm")]
    sizes = {path: len(gzip.compress(page_files[path])) for path in loaded}
    assert sum(sizes.values()) < 3.5e6
    assert sizes["styles/ink.tflite"] < 0.9e6


def test_the_page_loads_nothing_that_its_policy_forbids(page_files):
    html = page_files["index.html"].decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)
    assert "default-src 'none'" in policy and "http" not in policy and "unsafe-inline" not in policy
    assert not re.findall(r"https?://", html + page_files["app.js"].decode() + page_files["style.css"].decode())


def _large():
    return encode(np.zeros((3000, 4000, 3), np.uint8) + np.arange(4000, dtype=np.uint8)[:, np.newaxis])


def _jpeg():
    return encode(np.asarray(draw(0, 300, 400)), "JPEG")
