"""The files of a page, and its export; no browser is needed here."""

import dataclasses
import gzip
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from cartoongan_tf.base.errors import InputError
from export import tflite_file
from export.config import ExportConfig
from export.reference import Reference
from export.web import browser, page, site
from tests.helpers import draw


def test_a_page_has_all_that_it_names(small_files):
    named = re.findall(r'(?:href|src)="([^"#]+)"', small_files["index.html"].decode())
    manifest = json.loads(small_files["manifest.webmanifest"])
    styles = json.loads(small_files["styles.json"])["styles"]
    kept = re.findall(r'"([\w./-]+\.(?:js|css|json|png|jpg|webmanifest))"', small_files["service_worker.js"].decode())
    icons = [icon["src"] for icon in manifest["icons"]]
    assert {*named, *icons, *kept, *(style["file"] for style in styles)} <= set(small_files)
    assert {"README.md", "LICENSES.txt", "LICENSE", "example.jpg", "enlarger.js"} <= set(small_files)
    assert not {"check.html", "check.js"} & set(small_files)
    for name in ("internal", "compat_internal", "threaded_internal"):
        assert small_files[f"runtime/litert_wasm_{name}.wasm"].startswith(b"\0asm")
        assert f"runtime/litert_wasm_{name}.js" in small_files


def test_the_page_knows_its_styles(small_files, small_styles):
    light, small = json.loads(small_files["styles.json"])["styles"]
    assert (light["name"], light["drawing_size"], small["drawing_size"]) == ("light", 64, 0)
    assert small_files[light["file"]] == small_styles[0].tflite
    assert 10 < light["bytes_per_pixel"] < 2000
    assert small_styles[0].license in small_files["LICENSES.txt"].decode()
    assert "light, small" in small_files["README.md"].decode()


def test_icons_are_the_example_in_the_first_style(small_files, small_styles):
    icon = Image.open(io.BytesIO(small_files["icon-192.png"]))
    example = Image.open(io.BytesIO(small_files["example.jpg"]))
    cartoon = Image.fromarray(small_styles[0].load()(np.asarray(example)))
    pixels = np.asarray(icon.convert("RGB")).astype(int)
    assert np.abs(pixels - np.asarray(cartoon.resize(icon.size, Image.Resampling.BOX))).mean() < 6  # of 128 colours


def test_a_changed_file_makes_a_new_version(small_styles, small_files):
    versions = set()
    for license in ("CC0-1.0", "CC-BY-4.0"):
        files = site.make_site([small_styles[0]._replace(license=license)])
        versions |= set(re.findall(r'"([0-9a-f]{16})"', files[site.SERVICE_WORKER].decode()))
    assert len(versions) == 2


@pytest.mark.parametrize(("architecture", "precision"), [("light", "fp32"), ("paper", "int8"), ("light", "int8")])
def test_a_file_takes_the_size_that_is_written_over_its_shapes(converted, architecture, precision):
    """Browsers cannot resize an input, so the page writes the size into the file."""
    model = bytearray(converted(architecture, precision))
    original = Interpreter(model_content=bytes(model))
    for offset in tflite_file.shape_offsets(bytes(model)):
        assert np.frombuffer(model, np.int32, 4, offset).tolist()[3] == 3
        model[offset : offset + 16] = np.array([1, 24, 40, 3], np.int32).tobytes()
    interpreter = Interpreter(model_content=bytes(model))
    interpreter.allocate_tensors()
    details = [*interpreter.get_input_details()[:1], *interpreter.get_output_details()[:1]]
    assert [entry["shape"].tolist() for entry in details] == [[1, 24, 40, 3]] * 2
    photo = draw(0, 24, 40)[np.newaxis].astype(np.float32) / 127.5 - 1
    index = original.get_input_details()[0]["index"]
    original.resize_tensor_input(index, photo.shape)
    original.allocate_tensors()
    cartoons = []
    for runtime in (original, interpreter):
        runtime.set_tensor(runtime.get_input_details()[0]["index"], photo)
        runtime.invoke()
        cartoons.append(runtime.get_tensor(runtime.get_output_details()[0]["index"]))
    assert np.array_equal(*cartoons)


@pytest.fixture
def page_config(light_path, narrow_path, tmp_path):
    return ExportConfig(
        output_dir=str(tmp_path),
        model=str(light_path),
        name="one",
        formats="web",
        style=f"one={light_path},two={narrow_path}",
        license="CC0-1.0",
        drawing_size=64,
    )


@pytest.fixture
def reference(generators):
    return Reference(generators["light"], [np.asarray(draw(seed, 32, 48)) for seed in (1, 2)])


@pytest.mark.slow
def test_without_a_browser_the_export_says_that_nothing_was_checked(page_config, reference, monkeypatch):
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    entries, contents = page.make_page(reference, page_config)
    assert [entry.path for entry in entries] == ["web/styles/one.tflite", "web/styles/two.tflite", page.PAGE]
    assert [entry.parity.psnr_db > 40 for entry in entries[:2]] == [True, True]
    assert entries[2].parity is None and "Firefox" in entries[2].proof
    assert next(iter(contents)) == "web/service_worker.js"
    styles = json.loads(contents["web/styles.json"])["styles"]
    assert [(style["name"], style["drawing_size"]) for style in styles] == [("one", 64), ("two", 64)]


def test_a_page_that_draws_something_else_is_below_its_budget(small_styles, small_files, monkeypatch):
    photos = [np.asarray(draw(seed, 32, 48)) for seed in (1, 2)]
    white = [np.full_like(photo, 255) for photo in photos]
    drawings = browser.Drawings("a browser 1", {style.name: white for style in small_styles})
    monkeypatch.setattr(browser, "find_browser", lambda: "a browser")
    monkeypatch.setattr(browser, "draw_in_browser", lambda *_: drawings)
    entry = page.check_page(small_styles, small_files, photos)
    assert entry.is_below_budget and entry.parity.num_photos == 4


def test_styles_of_the_package_have_their_own_facts():
    config = ExportConfig(
        output_dir="out", formats="web", style="ink,mine=my.keras", license="CC0-1.0", drawing_size=300
    )
    ink = config.for_style("ink", "ink")
    assert ink is config
    pepper = config.for_style("pepper", "pepper")
    assert pepper.license != "CC0-1.0" and pepper.drawing_size == 640
    mine = config.for_style("mine", "my.keras")
    assert (mine.name, mine.license, mine.drawing_size) == ("mine", "CC0-1.0", 300)


def test_style_is_for_web():
    with pytest.raises(InputError, match=r"--style=ink.*web"):
        ExportConfig(output_dir="out", style="ink")


def test_two_styles_need_two_names(page_config, reference):
    with pytest.raises(InputError, match=r"--style=.*two are called ink"):
        page.make_page(reference, dataclasses.replace(page_config, style="ink,ink"))


@pytest.mark.parametrize(("content", "reason"), [(None, "does not start"), ("#!/bin/sh\nexit 3\n", "status 3")])
def test_a_browser_that_does_not_work_is_as_good_as_none(
    small_styles, small_files, monkeypatch, tmp_path, content, reason
):
    program = tmp_path / "browser"
    if content:
        program.write_text(content)
        program.chmod(0o755)
    monkeypatch.setattr(browser, "find_browser", lambda: str(program))
    entry = page.check_page(small_styles, small_files, [])
    assert entry.parity is None
    assert str(program) in entry.proof and reason in entry.proof


@pytest.mark.slow
def test_the_built_page_matches_its_sources(tmp_path):
    """`make page` was run after the last change of a source, with the versions in the lock file."""
    source = site.BUILT.parent
    if not (source / "node_modules" / "esbuild").exists() or not shutil.which("node"):
        pytest.skip("no Node.js, or no modules: npm ci in export/web/page")
    copy = tmp_path / "export" / "web" / "page"
    shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns("built"))
    shutil.copy(source.parents[2] / "LICENSE", tmp_path)
    subprocess.run(["node", "build.mjs"], cwd=copy, check=True)
    built = {path.relative_to(copy / "built") for path in (copy / "built").rglob("*") if path.is_file()}
    assert built == {path.relative_to(site.BUILT) for path in site.BUILT.rglob("*") if path.is_file()}
    for path in built:
        contents = [(folder / path).read_bytes() for folder in (copy / "built", site.BUILT)]
        if path.suffix == ".gz":  # zlib's versions differ in how they compress
            contents = [gzip.decompress(content) for content in contents]
        assert contents[0] == contents[1], path
