"""The .tflite and .onnx files of an export, each made and compared with Keras in memory."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cartoongan_tf import __version__
from cartoongan_tf.base import progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.inference.tflite_model import SIGNATURES, TFLiteGenerator
from export import onnx_file, parity, tflite, tflite_file
from export.config import ExportConfig
from export.reference import Reference, Size
from export.report import Entry
from export.tflite_metadata import Metadata

TFLITE = "tflite"
ONNX = "onnx"
ONNX_BUDGET_DB = 60.0


class ExportedFile(NamedTuple):
    """A file of an export, not written yet."""

    entry: Entry
    content: bytes


def make_files(reference: Reference, config: ExportConfig) -> list[ExportedFile]:
    """Make every .tflite and .onnx file that a config asks for, and compare each with Keras.

    Raises:
      InputError: a file needs operators that phones do not have, or the photos to calibrate on cannot be read.
    """
    calibration = _calibration_photos(config)
    converter = tflite.Converter(reference.generator)
    files: list[ExportedFile] = []
    plans = _tflite_plans(config)
    steps = Bar(plans, desc=".tflite files", unit="file", disable=not plans)
    for precision, size in steps:
        steps.set_postfix_str(f"{precision}{_suffix(size)}")
        twin = next((file for file in files if size and file.entry.format == precision), None)
        files.append(make_tflite_file(converter.convert, reference, config, precision, size, calibration, twin))
    if ONNX in config.format_names:
        with progress.stage("making the ONNX file, and comparing it"):
            files.append(_make_onnx_file(reference, config))
    return files


def make_tflite_file(
    convert: Callable[..., bytes],
    reference: Reference,
    config: ExportConfig,
    precision: str,
    size: Size = None,
    calibration: Sequence[np.ndarray] = (),
    twin: ExportedFile | None = None,
    path: str = "",
) -> ExportedFile:
    """Make a .tflite file and compare it with Keras.

    A precision may leave more or less of the network in float. The first choice within the budget is taken, which is
    the smallest file; if there is none, the last one.

    Args:
      convert: `Converter.convert` of the reference's generator, or a function with the same arguments.
      reference: the generator, and the photos to compare on.
      config: the settings of the export.
      precision: a key of `tflite.BUDGETS_DB`.
      size: the only height and width that the file takes; None: any multiples of 4.
      calibration: photos for int8_full, see `Converter.convert`.
      twin: the file of the same precision for any size, compared on all photos. If this one has the same weights, one
        photo shows that it draws at its size what the other does.
      path: path below the export's folder; "": that of phones' files.

    Raises:
      InputError: the file needs operators that phones do not have.
    """
    name = f"{config.name}-{precision}{_suffix(size)}"
    path = path or f"{TFLITE}/{name}.tflite"
    version = f"cartoongan-tf {__version__}"
    keras_sha256 = reference.keras_sha256 if precision == "fp32" and size is None else ""  # the others draw otherwise
    texts = (config.description, version, config.author, config.license)
    metadata = Metadata(name, *texts, keras_sha256)
    for kept_float, stays_float in tflite.choices(precision).items():
        content = convert(precision, metadata, size, calibration, kept_float)
        _require_builtin_operators(content, path)
        entry = _tflite_entry(content, reference, path, precision, size, stays_float, twin)
        if not entry.is_below_budget:
            break
    return ExportedFile(entry, content)


def _tflite_entry(
    content: bytes,
    reference: Reference,
    path: str,
    precision: str,
    size: Size,
    stays_float: str,
    twin: ExportedFile | None,
) -> Entry:
    """Compare a .tflite file with Keras, and return its entry in the report."""
    run = TFLiteGenerator(content, path)
    has_same_weights = twin is not None and tflite_file.weights(twin.content) == tflite_file.weights(content)
    return Entry.of_file(
        content,
        path=path,
        format=precision,
        takes=_tflite_input(run.dtype, size),
        parity=reference.compare_tflite(run, size, max_photos=1 if has_same_weights else None),
        budget_db=tflite.BUDGETS_DB[precision],
        operators=tflite_file.operators(content),
        stays_float=stays_float,
        proof=f"Compared on one photo: its weights are those of `{twin.entry.path}`."
        if twin and has_same_weights
        else "",
    )


def _tflite_plans(config: ExportConfig) -> list[tuple[str, Size]]:
    """Return the precision and size of each .tflite file."""
    plans: list[tuple[str, Size]] = [(name, None) for name in config.format_names if name in tflite.BUDGETS_DB]
    if "fp16" in config.format_names and config.fixed_size_px:
        plans.append(("fp16", config.fixed_size_px))
    return plans


def _suffix(size: Size) -> str:
    return f"-{size[0]}x{size[1]}" if size else ""


def _tflite_input(dtype: type, size: Size) -> str:
    values = "uint8" if dtype == np.uint8 else "float32 in [-1, 1]"
    if size:
        return f"{values}, RGB [1, {size[0]}, {size[1]}, 3]"
    return f"{values}, RGB [1, H, W, 3], multiples of 4"


def _calibration_photos(config: ExportConfig) -> list[np.ndarray]:
    if "int8_full" not in config.format_names:
        return []
    long_side = 2 * max(tflite.FIRST_SIZE_PX)
    photos = parity.read_photos(config.calibration_dir, tflite.NUM_CALIBRATION_PHOTOS, long_side)
    return [parity.fitting(photo, tflite.FIRST_SIZE_PX) for photo in photos]


def _require_builtin_operators(content: bytes, path: str) -> None:
    names = {name for signature in SIGNATURES for name in tflite_file.operators(content, signature)}
    custom = sorted(name for name in names if name.startswith("CUSTOM"))
    if custom:
        raise InputError(f"{path}: not written: needs operators that phones do not have: {', '.join(custom)}")


def _make_onnx_file(reference: Reference, config: ExportConfig) -> ExportedFile:
    content = onnx_file.convert(reference.generator)
    entry = Entry.of_file(
        content,
        path=f"{ONNX}/{config.name}.onnx",
        format=ONNX,
        takes="float32 in [-1, 1], RGB [N, H, W, 3], multiples of 4",
        parity=reference.compare(onnx_file.runner(content)),
        budget_db=ONNX_BUDGET_DB,
        operators=onnx_file.operators(content),
        stays_float="everything is float32",
    )
    return ExportedFile(entry, content)
