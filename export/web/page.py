"""The page of an export. Its styles are compared with Keras, and its cartoons, in a browser, with Python's."""

from collections.abc import Mapping, Sequence

import numpy as np

from cartoongan_tf import styles
from cartoongan_tf.base import progress
from cartoongan_tf.inference.named_models import parse_named_models
from cartoongan_tf.inference.tflite_facts import keras_sha256
from cartoongan_tf.models import pixels
from cartoongan_tf.models.generator_file import load_generator
from export import files, parity, tflite
from export.config import WEB, ExportConfig
from export.files import ExportedFile
from export.parity import Parity
from export.reference import Reference
from export.report import Entry
from export.web import browser, site
from export.web.browser import BrowserError, Drawings
from export.web.site import PageStyle

BUDGET_DB = 50.0
PAGE = f"{WEB}/index.html"


def make_page(reference: Reference, config: ExportConfig) -> tuple[list[Entry], dict[str, bytes]]:
    """Make the page that a config asks for, and let a browser draw the reference's photos if there is one.

    Args:
      reference: the generator of `config.model`, and the photos to compare on.
      config: the settings of the export.

    Returns:
      the entries of the styles and of the page, and the content of each file by its path below the export's folder.
      The file that makes a new page count comes first.

    Raises:
      InputError: a model cannot be used, or the page does not work in the browser.
    """
    models = parse_named_models(config.style, "--style") or {config.name: config.model}
    exported = [_make_style(reference, config.for_style(name, model)) for name, model in models.items()]
    page_styles = [style for style, _ in exported]
    contents = site.make_site(page_styles)
    entries = [file.entry for _, file in exported]
    entries.append(check_page(page_styles, contents, reference.photos))
    order = sorted(contents, key=lambda path: path != site.SERVICE_WORKER)
    return entries, {f"{WEB}/{path}": contents[path] for path in order}


def _make_style(reference: Reference, config: ExportConfig) -> tuple[PageStyle, ExportedFile]:
    """Make the .tflite file of a style, compared with its own generator."""
    path = styles.find_model(config.model)
    sha256 = keras_sha256(path)
    with progress.stage(f"making the page's file of {config.name}"):
        if sha256 != reference.keras_sha256:
            reference = Reference(load_generator(path), reference.photos, sha256)
        place = f"{WEB}/styles/{config.name}.tflite"
        convert = tflite.Converter(reference.generator).convert
        file = files.make_tflite_file(convert, reference, config, config.web_precision, path=place)
    style = styles.all_styles().get(config.model)
    description = style.description if style else config.description
    return PageStyle(config.name, description, config.license, config.drawing_size, file.content), file


def check_page(page_styles: Sequence[PageStyle], contents: Mapping[str, bytes], photos: list[np.ndarray]) -> Entry:
    """Return the page's entry in the report, with the parity that a browser finds.

    Args:
      page_styles: the page's styles.
      contents: the page's files by path.
      photos: uint8 RGB [H, W, 3] each, not larger than the styles' drawing sizes.

    Raises:
      InputError: the page does not work in the browser.
    """
    program = browser.find_browser()
    similarity = None
    proof = "no Chromium, Chrome, Edge or Firefox was found on this machine"
    if program:
        try:
            with progress.stage("drawing the photos in a browser, and comparing its cartoons"):
                drawings = browser.draw_in_browser(program, contents, page_styles, photos)
                similarity = _compare(page_styles, drawings, photos)
            proof = f"{drawings.browser} drew {len(photos)} photos in each style, on the processor"
        except BrowserError as error:
            proof = f"{program} was found, but {error}"
    return Entry(
        path=PAGE,
        format=WEB,
        takes="photos of any size, in a browser",
        num_bytes=sum(map(len, contents.values())),
        sha256="",
        parity=similarity,
        budget_db=BUDGET_DB,
        operators={},
        stays_float="as in its .tflite files",
        proof=proof,
        reference="its .tflite files in Python",
    )


def _compare(page_styles: Sequence[PageStyle], drawings: Drawings, photos: list[np.ndarray]) -> Parity:
    """Compare a browser's cartoons with Python's, as they are seen: in 256 levels."""
    drawn = [cartoon for style in page_styles for cartoon in drawings.cartoons[style.name]]
    expected = [cartoon for style in page_styles for cartoon in map(style.load(), photos)]
    return parity.compare(_to_float(drawn), _to_float(expected))


def _to_float(pictures: list[np.ndarray]) -> list[np.ndarray]:
    return [np.asarray(pixels.to_float(picture[np.newaxis])) for picture in pictures]
