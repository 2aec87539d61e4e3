"""An export from beginning to end. Every file is made and compared with Keras before any of them is published."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import keras

from cartoongan_tf import styles
from cartoongan_tf.base import atomic, progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.keras_runtime import values_per_pixel
from cartoongan_tf.inference.runtime import PEAK_TENSORS
from cartoongan_tf.inference.tflite_facts import keras_sha256
from cartoongan_tf.models import kernel_limits, layer_graph
from cartoongan_tf.models.generator_file import load_generator
from export import files, parity, report
from export.config import WEB, ExportConfig
from export.reference import Reference
from export.report import Entry
from export.serving import check, layout, requests, saved_model
from export.serving.deployment import files as deployment
from export.serving.deployment.server import Sizing
from export.serving.session import ServingSession
from export.web import page

SERVING = "serving"


def export(config: ExportConfig) -> list[Entry]:
    """Write everything that a config asks for.

    Raises:
      InputError: the model cannot be used, or a file differs from Keras by more than its budget. Nothing is written.
      OSError: the folder cannot be written.
    """
    folder = Path(config.output_dir)
    version_dir = saved_model.version_dir(folder / SERVING / config.name, config.model_version)
    photos = parity.read_photos(config.photos_dir or parity.OWN_PHOTOS)
    path = styles.find_model(config.model)
    sha256 = keras_sha256(path)
    with progress.stage(f"loading {config.model}"):
        generator = load_generator(path)
    _require_possible_sizes(generator, config)
    reference = Reference(generator, photos, sha256)
    # Each output is written under a temporary name. The stack publishes them when all are complete, the last one first.
    with atomic.locked(folder), contextlib.ExitStack() as publishing:
        exported_files = files.make_files(reference, config)
        entries = [file.entry for file in exported_files]
        contents = {file.entry.path: file.content for file in exported_files}
        if WEB in config.format_names:
            page_entries, page_files = page.make_page(reference, config)
            entries += page_entries
            contents |= page_files
        require_budgets(entries, config.allow_low_parity)
        if "saved_model" in config.format_names:
            entries.append(_write_serving(publishing, reference, config, version_dir))
        texts = report.texts(entries, config, len(photos), _earlier_files(folder, entries))
        for name, text in texts.items():
            _write(publishing, folder / name, text.encode())
        for place, content in contents.items():
            _write(publishing, folder / place, content)
    return entries


def require_budgets(entries: Sequence[Entry], allow_low_parity: bool = False) -> None:
    """Raise InputError if files differ from the original by more than their budgets, unless that is allowed."""
    low = [(entry, entry.parity) for entry in entries if entry.parity and entry.is_below_budget]
    if low and not allow_low_parity:
        scores = "; ".join(
            f"{entry.path} has {parity.psnr_db:.1f} dB, below its budget of {entry.budget_db:.0f}"
            for entry, parity in low
        )
        raise InputError(
            f"nothing was written: some files differ too much from the original: {scores}. Give --allow_low_parity to "
            "write them all the same, or --formats without them"
        )


def _require_possible_sizes(generator: keras.Model, config: ExportConfig) -> None:
    """Raise InputError if a server, or the comparison here, would need larger tensors than TensorFlow computes."""
    values = _values_per_pixel(generator)
    most = int(kernel_limits.most_values(on_gpu=True) / values)
    if config.max_pixels > most:
        raise InputError(f"--max_pixels={config.max_pixels}: a server can cartoonize at most {most} at once; give less")
    height, width = config.fixed_size_px or (0, 0)
    most = int(kernel_limits.most_values() / values)
    if height * width > most:
        raise InputError(
            f"--fixed_size={config.fixed_size}: cannot be compared with Keras here: on this machine TensorFlow "
            f"computes at most {most} pixels in one piece; give a smaller size, or set TF_ENABLE_ONEDNN_OPTS=0"
        )


def _write_serving(
    publishing: contextlib.ExitStack, reference: Reference, config: ExportConfig, version_dir: Path
) -> Entry:
    """Write everything that a server needs. models.config is written first, and so published after the version."""
    folder = Path(config.output_dir) / SERVING
    names = sorted({config.name, *layout.models(folder)})
    _write(publishing, folder / layout.CONFIG, layout.config_text(names).encode())
    entry = _write_version(publishing, reference, config, version_dir)
    for name, text in _serving_texts(reference.generator, config, names, int(version_dir.name)).items():
        _write(publishing, folder / name, text.encode())
    return entry


def _write_version(
    publishing: contextlib.ExitStack, reference: Reference, config: ExportConfig, version_dir: Path
) -> Entry:
    """Write the SavedModel, and check it under its temporary name."""
    temporary = publishing.enter_context(atomic.replacing(version_dir))
    with progress.stage("tracing and writing the SavedModel"):
        saved_model.write_version(
            reference.generator, temporary, config.name, reference.photos[0], config.max_pixels, config.drawing_size
        )
    with progress.stage("loading the SavedModel as a server does"):
        session = ServingSession(temporary)
        warmup = requests.read_warmup(temporary)
    proof = check.check_version(session, warmup, reference, str(version_dir))
    return Entry(
        path=version_dir.relative_to(config.output_dir).as_posix(),
        format="saved_model",
        takes="uint8 RGB [N, H, W, 3], any size; or picture files",
        num_bytes=sum(path.stat().st_size for path in temporary.rglob("*") if path.is_file()),
        sha256="",
        parity=proof.parity,
        budget_db=None,  # the check allows a difference of one grey level
        operators=dict.fromkeys(proof.operators, 0),
        stays_float="everything is float32",
        proof=str(proof),
    )


def _serving_texts(generator: keras.Model, config: ExportConfig, names: list[str], version: int) -> dict[str, str]:
    """Return the texts for those who run and call the server, by the names of their files."""
    values = _values_per_pixel(generator)
    sizes = (config.max_pixels, config.drawing_size, 4 * PEAK_TENSORS * values)
    one_thread_pixels = 2 * kernel_limits.most_copied_values() / values
    readme = layout.readme_text(config.name, names, *sizes, one_thread_pixels)
    return {**deployment.texts(config.name, names, version, Sizing(*sizes)), layout.README: readme}


def _values_per_pixel(generator: keras.Model) -> float:
    """Return how many values the generator's largest tensor has per pixel of a picture."""
    return values_per_pixel(layer_graph.layer_graph(generator))


def _earlier_files(folder: Path, entries: list[Entry]) -> list[str]:
    """Return the files of earlier exports that stay beside those of this one."""
    existing = {
        path.relative_to(folder).as_posix()
        for subfolder in (files.TFLITE, files.ONNX, f"{WEB}/styles")
        for path in (folder / subfolder).glob("[!.]*")
    }
    return sorted(existing - {entry.path for entry in entries})


def _write(publishing: contextlib.ExitStack, path: Path, content: bytes) -> None:
    """Write a file under a temporary name; it gets its own when `publishing` ends well."""
    publishing.enter_context(atomic.replacing(path)).write_bytes(content)
