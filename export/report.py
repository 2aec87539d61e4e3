"""The report of an export: report.json for programs, report.md for people."""

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

JSON_NAME = "report.json"
MARKDOWN_NAME = "report.md"
FAR_DB = 30.0
_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "ai-edge-quantizer", "numpy")


@dataclasses.dataclass(frozen=True)
class Entry:
    """The report's entry for one file, or for the folder of a SavedModel.

    Attributes:
      path: path below the export's folder.
      format: name of the format in --formats.
      takes: description of the input.
      num_bytes: size of the file, or of all files in the folder.
      sha256: hash of the file; "" for a folder.
      parity: similarity to the reference; None: not compared.
      budget_db: lowest PSNR that is accepted; None: no limit.
      operators: number of each operator by name; 0 where they are not counted.
      stays_float: description of the parts that stay float.
      proof: description of further checks.
      reference: name of what it was compared with.
    """

    path: str
    format: str
    takes: str
    num_bytes: int
    sha256: str
    parity: Parity | None
    budget_db: float | None
    operators: dict[str, int]
    stays_float: str
    proof: str = ""
    reference: str = "Keras"

    @classmethod
    def of_file(cls, content: bytes, **fields) -> "Entry":
        """Make the entry for a file, with the size and hash of its content."""
        return cls(num_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), **fields)

    @property
    def is_below_budget(self) -> bool:
        return self.parity is not None and self.budget_db is not None and self.parity.psnr_db < self.budget_db

    @property
    def is_far(self) -> bool:
        """Whether a file without a budget differs visibly from Keras."""
        return self.parity is not None and self.budget_db is None and self.parity.psnr_db < FAR_DB


def texts(entries: list[Entry], config: ExportConfig, num_photos: int, earlier_files: list[str]) -> dict[str, str]:
    """Return the contents of report.json and report.md, by file name.

    Args:
      entries: entries of this export.
      config: settings of this export.
      num_photos: number of photos that the files were compared on.
      earlier_files: files of earlier exports in the same folder.
    """
    facts = _facts(config, num_photos)
    files = [_json_value(dataclasses.asdict(entry)) | {"is_below_budget": entry.is_below_budget} for entry in entries]
    content = facts | {"files": files, "of_earlier_exports": earlier_files}
    return {
        JSON_NAME: json.dumps(content, indent=1) + "\n",
        MARKDOWN_NAME: _markdown(facts, entries, earlier_files, config.output_dir),
    }


def summary(entry: Entry) -> str:
    """Describe an entry in one line."""
    return f"{entry.path}: {entry.num_bytes / 1e6:.1f} MB, {_scores(entry)}{_warning(entry)}"


def _scores(entry: Entry) -> str:
    if entry.parity is None:
        return f"NOT COMPARED with {entry.reference}: {entry.proof}"
    return f"{_db(entry.parity.psnr_db)} dB, SSIM {entry.parity.ssim:.4f} against {entry.reference}"


def _warning(entry: Entry) -> str:
    if entry.is_below_budget:
        return " (BELOW BUDGET)"
    if entry.is_far:
        return " (FAR OFF: look at its cartoons)"
    return ""


def _facts(config: ExportConfig, num_photos: int) -> dict[str, Any]:
    """Return what is true of the whole export."""
    model = styles.find_model(config.model).read_bytes()
    origin = f"of {config.photos_dir}" if config.photos_dir else "that come with this package"
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {
        "command": config.command,
        "model": {"path": config.model, "sha256": hashlib.sha256(model).hexdigest()},
        "photos": f"{num_photos} photos {origin}",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "packages": {"cartoongan-tf": __version__, **versions},
    }


def _markdown(facts: dict[str, Any], entries: list[Entry], earlier_files: list[str], output_dir: str) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    lines = [
        "# Export report",
        "",
        f"Model: `{facts['model']['path']}` (sha256 {facts['model']['sha256']}).",
        f"Exported on {facts['machine']}, with {packages}.",
        "",
        "| file | MB | takes | PSNR dB, lowest and median | SSIM, lowest and median | budget dB |",
        "| --- | --: | --- | --: | --: | --: |",
        *map(_row, entries),
        "",
        f"PSNR and SSIM compare each file with the Keras model, on {facts['photos']}, and a page's cartoons with those",
        f"of its .tflite files in Python. A file without a budget is marked *far off* below {FAR_DB:.0f} dB: look at",
        "its cartoons, and calibrate on other photos.",
    ]
    if earlier_files:
        lines += ["", f"Files of earlier exports, not covered by this report: {', '.join(earlier_files)}."]
    lines += ["", "## What stays float, and further checks", ""]
    lines += [f"- `{entry.path}`: {entry.stays_float}. {entry.proof}".rstrip() for entry in entries]
    lines += ["", "## Operators", ""]
    lines += [f"- `{entry.path}`: {_operators(entry.operators)}" for entry in entries]
    lines += ["", "## How to repeat it", "", "The export, and a benchmark of its .tflite files:", ""]
    lines += ["```sh", facts["command"]]
    tflite_paths = [f"{output_dir}/{entry.path}" for entry in entries if entry.path.endswith(".tflite")]
    if tflite_paths:
        lines.append(f"python -m export.benchmark_tflite --models={shlex.quote(','.join(tflite_paths))}")
    return "\n".join([*lines, "```", ""])


def _row(entry: Entry) -> str:
    parity = entry.parity
    cells = [
        f"`{entry.path}`",
        f"{entry.num_bytes / 1e6:.1f}",
        entry.takes,
        f"{_db(parity.psnr_db)}, {_db(parity.median_psnr_db)}" if parity else "not compared",
        f"{parity.ssim:.4f}, {parity.median_ssim:.4f}" if parity else "-",
        _budget(entry),
    ]
    return f"| {' | '.join(cells)} |"


def _budget(entry: Entry) -> str:
    budget = "-" if entry.budget_db is None else f"{entry.budget_db:.0f}"
    if entry.is_below_budget:
        return f"{budget} **missed**"
    return f"{budget} *far off*" if entry.is_far else budget


def _operators(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" if count else name for name, count in counts.items())


def _db(score: float) -> str:
    if math.isfinite(score):
        return f"{score:.1f}"
    return "equal" if score > 0 else "not finite"


def _json_value(value: Any) -> Any:
    """Replace infinities, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {name: _json_value(item) for name, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
