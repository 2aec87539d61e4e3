"""What an export wrote and how far it is from Keras: report.json for programs, report.md for people."""

import dataclasses
import hashlib
import json
import math
import os
import platform
import shlex
from importlib import metadata
from typing import Any

from cartoongan_tf import __version__, styles
from export.config import ExportConfig
from export.parity import Parity

JSON_NAME, MARKDOWN_NAME = "report.json", "report.md"
FAR_DB = 30.0
_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "ai-edge-quantizer", "numpy")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or a SavedModel's folder, of an export.

    Attributes:
      path: below the export's folder.
      format: as --formats calls it.
      takes: what goes in, in words.
      num_bytes: of all its files.
      sha256: of a file; "" for a folder.
      parity: against Keras.
      budget_db: the least PSNR that is demanded; None: none.
      operators: that it needs, and how many of each; 0 where they are not counted.
      stays_float: in words.
      proof: what else was found, in words.
    """

    path: str
    format: str
    takes: str
    num_bytes: int
    sha256: str
    parity: Parity
    budget_db: float | None
    operators: dict[str, int]
    stays_float: str
    proof: str = ""

    @classmethod
    def of_file(cls, content: bytes, **fields) -> "Entry":
        """An entry for a file, by its content."""
        return cls(num_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), **fields)

    @property
    def is_below_budget(self) -> bool:
        return self.budget_db is not None and self.parity.psnr_db < self.budget_db

    @property
    def is_far(self) -> bool:
        """Whether a file without a budget differs visibly."""
        return self.budget_db is None and self.parity.psnr_db < FAR_DB


def texts(entries: list[Entry], config: ExportConfig, num_photos: int, others: list[str]) -> dict[str, str]:
    """The contents of report.json and report.md, by name.

    Args:
      entries: what the export holds.
      config: of the export.
      num_photos: that were drawn.
      others: files of earlier exports beside these.
    """
    where = f"of {config.photos_dir}" if config.photos_dir else "that come with this package"
    versions = {name: metadata.version(name) for name in _PACKAGES}
    model = styles.find_model(config.model).read_bytes()
    facts = {
        "command": config.command,
        "model": {"path": config.model, "sha256": hashlib.sha256(model).hexdigest()},
        "photos": f"{num_photos} photos {where}",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "packages": {"cartoongan-tf": __version__, **versions},
    }
    files = [_plain(dataclasses.asdict(entry)) | {"is_below_budget": entry.is_below_budget} for entry in entries]
    content = facts | {"files": files, "of_earlier_exports": others}
    return {
        JSON_NAME: json.dumps(content, indent=1) + "\n",
        MARKDOWN_NAME: _markdown(facts, entries, others, config.output_dir),
    }


def summary(entry: Entry) -> str:
    """An entry in one line."""
    scores = f"{_db(entry.parity.psnr_db)} dB, SSIM {entry.parity.ssim:.4f} against Keras"
    remark = " (BELOW BUDGET)" if entry.is_below_budget else " (FAR OFF: look at its cartoons)" if entry.is_far else ""
    return f"{entry.path}: {entry.num_bytes / 1e6:.1f} MB, {scores}{remark}"


def _markdown(facts: dict[str, Any], entries: list[Entry], others: list[str], output_dir: str) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    lines = [
        "# Export report",
        "",
        f"Of `{facts['model']['path']}` (sha256 {facts['model']['sha256']}), on {facts['machine']}; {packages}.",
        "",
        "| file | MB | takes | PSNR dB, least and median | SSIM, least and median | budget dB |",
        "| --- | --: | --- | --: | --: | --: |",
        *map(_row, entries),
        "",
        f"PSNR and SSIM are against the Keras model, on {facts['photos']}. Less than {FAR_DB:.0f} dB is marked *far "
        "off*: look at the cartoons, and try other photos to calibrate on.",
        *([f"Of earlier exports, and not told of here: {', '.join(others)}."] if others else []),
        "",
        "## What stayed float, and what else was found",
        "",
        *(f"- `{entry.path}`: {entry.stays_float}. {entry.proof}".rstrip() for entry in entries),
        "",
        "## Operators",
        "",
        *(f"- `{entry.path}`: {_operators(entry.operators)}" for entry in entries),
        "",
        "## Again",
        "",
        "The export, and the time and memory that its files take:",
        "",
        "```sh",
        facts["command"],
    ]
    if tflite := [f"{output_dir}/{entry.path}" for entry in entries if entry.path.endswith(".tflite")]:
        lines.append(f"python -m export.benchmark_tflite --models={shlex.quote(','.join(tflite))}")
    return "\n".join([*lines, "```", ""])


def _row(entry: Entry) -> str:
    found = entry.parity
    budget = "-" if entry.budget_db is None else f"{entry.budget_db:.0f}"
    psnrs, ssims = f"{_db(found.psnr_db)}, {_db(found.median_psnr_db)}", f"{found.ssim:.4f}, {found.median_ssim:.4f}"
    missed = " **missed**" if entry.is_below_budget else " *far off*" if entry.is_far else ""
    return f"| `{entry.path}` | {entry.num_bytes / 1e6:.1f} | {entry.takes} | {psnrs} | {ssims} | {budget}{missed} |"


def _operators(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" if count else name for name, count in counts.items())


def _db(score: float) -> str:
    return f"{score:.1f}" if math.isfinite(score) else "equal" if score > 0 else "not finite"


def _plain(value: Any) -> Any:
    """What JSON can hold: no infinities."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
