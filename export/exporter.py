"""An export from end to end: every file is made and compared with Keras before any of them gets its name."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np

from cartoongan_tf import __version__, styles
from cartoongan_tf.base import atomic, progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import Bar
from cartoongan_tf.inference.keras_runtime import values_per_pixel
from cartoongan_tf.inference.runtime import PEAK_TENSORS
from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models import kernel_limits, layer_graph
from cartoongan_tf.models.generator_file import load_generator
from export import onnx_file, parity, report, tflite, tflite_file
from export.config import ExportConfig
from export.report import Entry
from export.serving import check, layout, saved_model

Size = tuple[int, int] | None

SERVING, TFLITE, ONNX = "serving", "tflite", "onnx"
ONNX_BUDGET_DB = 60.0


class Original:
    """The generator to export, and what it draws of the photos to compare on."""

    def __init__(self, generator: keras.Model, photos: list[np.ndarray]):
        self.generator, self.photos = generator, photos

    @functools.cache  # noqa: B019  it lives as long as the export
    def drawn(self, size: Size) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Photos and cartoons, float32 RGB [1, H, W, 3] in [-1, 1], of the photos' own sizes or of one size."""
        photos = [parity.fitting(photo, size) for photo in self.photos]
        with parity.on_cpu():
            return photos, [np.asarray(self.generator(photo)) for photo in photos]

    @property
    def values_per_pixel(self) -> float:
        """The values that its largest tensor has for each pixel of a picture."""
        return values_per_pixel(layer_graph.layer_graph(self.generator))

    def compare(self, run: Callable[[np.ndarray], np.ndarray], size: Size = None) -> parity.Parity:
        photos, cartoons = self.drawn(size)
        return parity.compare([run(photo) for photo in photos], cartoons)


def export(config: ExportConfig) -> list[Entry]:
    """Write all that a config asks for.

    Raises:
      InputError: the model cannot be used, or a file draws other pictures than Keras does; then nothing is written.
      OSError: the folder cannot be written.
    """
    folder, is_served = Path(config.output_dir), "saved_model" in config.format_names
    version_dir = saved_model.version_dir(folder / SERVING / config.name, config.model_version)
    photos = parity.read_photos(config.photos_dir or parity.OWN_PHOTOS)
    with progress.stage(f"loading {config.model}"):
        original = Original(load_generator(styles.find_model(config.model)), photos)
    _require_sizes(original.values_per_pixel, config)
    with atomic.locked(folder), contextlib.ExitStack() as publishing:  # what is entered first gets its name last
        files = list(_files(original, config))
        entries = [entry for entry, _ in files]
        _require_budgets(entries, config.allow_low_parity)
        if is_served:
            _publish_text(publishing, folder / SERVING / layout.CONFIG, _models_config(config))
            entries.append(_version(publishing, original, config, version_dir))
            _publish_text(publishing, folder / SERVING / layout.README, _serving_readme(original, config))
        for name, text in report.texts(entries, config, len(photos), _others(folder, entries)).items():
            _publish_text(publishing, folder / name, text)
        for entry, content in files:
            publishing.enter_context(atomic.replacing(folder / entry.path)).write_bytes(content)
    return entries


def _require_sizes(values_per_pixel: float, config: ExportConfig) -> None:
    """Raise InputError where a server, or the comparison here, would need larger tensors than TensorFlow computes."""
    most = int(kernel_limits.most_values(on_gpu=True) / values_per_pixel)
    if config.max_pixels > most:
        raise InputError(f"--max_pixels={config.max_pixels}: a server can draw at most {most} at once; give less")
    height, width = config.fixed_size_px or (0, 0)
    most = int(kernel_limits.most_values() / values_per_pixel)
    if height * width > most:
        raise InputError(
            f"--fixed_size={config.fixed_size}: cannot be compared with Keras here: TensorFlow draws at most {most} "
            f"pixels in one piece on this machine; name a smaller size, or set TF_ENABLE_ONEDNN_OPTS=0"
        )


def _publish_text(publishing: contextlib.ExitStack, path: Path, text: str) -> None:
    publishing.enter_context(atomic.replacing(path)).write_text(text, encoding="utf-8")


def _models_config(config: ExportConfig) -> str:
    return layout.config_text(_served_models(config))


def _serving_readme(original: Original, config: ExportConfig) -> str:
    values = original.values_per_pixel
    memory, one_thread = 4 * PEAK_TENSORS * values, 2 * kernel_limits.most_copied_values() / values
    return layout.readme_text(config.name, _served_models(config), config.max_pixels, memory, one_thread)


def _served_models(config: ExportConfig) -> list[str]:
    return sorted({config.name, *layout.models(Path(config.output_dir) / SERVING)})


def _others(folder: Path, entries: list[Entry]) -> list[str]:
    """Files of earlier exports that stay beside those of this one."""
    there = {path.relative_to(folder).as_posix() for kind in (TFLITE, ONNX) for path in (folder / kind).glob("[!.]*")}
    return sorted(there - {entry.path for entry in entries})


def _files(original: Original, config: ExportConfig) -> Iterator[tuple[Entry, bytes]]:
    """Each .tflite and .onnx file, made and compared."""
    plans: list[tuple[str, Size]] = [(name, None) for name in config.format_names if name in tflite.BUDGETS_DB]
    if "fp16" in config.format_names and config.fixed_size_px:
        plans.append(("fp16", config.fixed_size_px))
    calibration = _calibration(config) if "int8_full" in config.format_names else []
    steps = Bar(plans, desc="export", unit="file")
    for precision, size in steps:
        suffix = f"-{size[0]}x{size[1]}" if size else ""
        steps.set_postfix_str(f"{precision}{suffix}")
        yield _tflite_file(original, config, precision, size, f"{config.name}-{precision}{suffix}", calibration)
    if ONNX in config.format_names:
        with progress.stage("making the ONNX file, and comparing it"):
            file = _onnx_file(original, config)
        yield file


def _tflite_file(
    original: Original, config: ExportConfig, precision: str, size: Size, name: str, calibration: list[np.ndarray]
) -> tuple[Entry, bytes]:
    path = f"{TFLITE}/{name}.tflite"
    metadata = tflite_file.Metadata(
        name, config.description, f"cartoongan-tf {__version__}", config.author, config.license
    )

    for kept_float, stays_float in tflite.choices(precision).items():
        content = tflite.convert(original.generator, precision, metadata, size, calibration, kept_float)
        run = TFLiteGenerator(content, path)
        values = "uint8" if run.dtype == np.uint8 else "float32 in [-1, 1]"
        sides = f"{size[0]}, {size[1]}" if size else "H, W"
        entry = Entry.of_file(
            content,
            path=path,
            format=precision,
            takes=f"{values}, RGB [1, {sides}, 3]{'' if size else ', multiples of 4'}",
            parity=original.compare(run, size),
            budget_db=tflite.BUDGETS_DB[precision],
            operators=tflite_file.operators(content),
            stays_float=stays_float,
        )
        if not entry.is_below_budget:
            break  # the first choice that keeps it is the smallest
    if custom := [name for name in entry.operators if name.startswith("CUSTOM")]:
        raise InputError(f"{path}: not written: needs operators that phones do not have: {', '.join(custom)}")
    return entry, content


def _onnx_file(original: Original, config: ExportConfig) -> tuple[Entry, bytes]:
    content = onnx_file.convert(original.generator)
    entry = Entry.of_file(
        content,
        path=f"{ONNX}/{config.name}.onnx",
        format=ONNX,
        takes="float32 in [-1, 1], RGB [N, H, W, 3], multiples of 4",
        parity=original.compare(onnx_file.runner(content)),
        budget_db=ONNX_BUDGET_DB,
        operators=onnx_file.operators(content),
        stays_float="everything is float32",
    )
    return entry, content


def _version(publishing: contextlib.ExitStack, original: Original, config: ExportConfig, version_dir: Path) -> Entry:
    """The SavedModel, written and checked under a temporary name until it is published."""
    temporary = publishing.enter_context(atomic.replacing(version_dir))
    with progress.stage("writing the SavedModel"):
        saved_model.write_version(original.generator, temporary, config.name, original.photos[0], config.max_pixels)
    with progress.stage("running the SavedModel as a server does, and comparing what it draws"):
        proof = check.check_version(original.generator, temporary, str(version_dir), original.photos)
    return Entry(
        path=version_dir.relative_to(config.output_dir).as_posix(),
        format="saved_model",
        takes="uint8 RGB [N, H, W, 3], any size; or picture files",
        num_bytes=sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file()),
        sha256="",
        parity=proof.parity,
        budget_db=None,  # no picture may differ by more than a grey level
        operators=dict.fromkeys(proof.operators, 0),
        stays_float="everything is float32",
        proof=f"In a server's session {proof.num_pictures} pictures, as pixels and as JPEG, PNG, GIF and BMP, "
        f"differ from Keras's by at most {proof.largest_difference} of 255 grey levels. It answered its own "
        f"{proof.num_warmup_requests} warm-up requests; {proof.num_threads} threads got the same bytes as one.",
    )


def _calibration(config: ExportConfig) -> list[np.ndarray]:
    height, width = tflite.FIRST_SIZE_PX
    photos = parity.read_photos(config.calibration_dir, tflite.NUM_CALIBRATION_PHOTOS, long_side=2 * max(height, width))
    return [parity.fitting(photo, tflite.FIRST_SIZE_PX) for photo in photos]


def _require_budgets(entries: list[Entry], allow_low_parity: bool) -> None:
    low = [entry for entry in entries if entry.is_below_budget]
    if low and not allow_low_parity:
        scores = "; ".join(
            f"{entry.path} has {entry.parity.psnr_db:.1f} dB, where {entry.budget_db:.0f} are wanted" for entry in low
        )
        raise InputError(
            f"nothing was written: files draw other pictures than Keras: {scores}. --allow_low_parity writes them all "
            "the same; --formats without them leaves them out"
        )
