"""The report of a run on an archive: numbers, speeds, and the files that could not be used."""

import collections
import statistics
from collections.abc import Sequence
from typing import Any

from cartoongan_tf.archive.tasks import Outcome
from cartoongan_tf.base.errors import InputError

REPORT_FILE = "report.json"


def describe(outcomes: Sequence[Outcome], num_kept: int, secs: float) -> dict[str, Any]:
    """Return the content of report.json.

    Args:
      outcomes: outcome of each file that had no result.
      num_kept: number of files that had one.
      secs: time that the run took, in seconds.
    """
    counts = collections.Counter(outcome.status for outcome in outcomes)
    pictures = [outcome for outcome in outcomes if outcome.status == "drawn" and not outcome.file.is_film]
    films = [outcome for outcome in outcomes if outcome.status == "drawn" and outcome.file.is_film]
    return {
        "pictures_drawn": len(pictures),
        "films_drawn": len(films),
        "kept": num_kept + counts["kept"],
        "skipped": counts["skipped"],
        "no_picture": counts["no picture"],
        "seconds": round(secs, 1),
        "pictures_per_second": round(len(pictures) / secs, 3),
        "worker_seconds_per_picture": _spread([outcome.secs for outcome in pictures]),
        "worker_seconds_per_film": _spread([outcome.secs for outcome in films]),
        "problems": {outcome.file.source: outcome.problem for outcome in sorted(outcomes) if outcome.problem},
        "remarks": {outcome.file.source: outcome.remarks for outcome in sorted(outcomes) if outcome.remarks},
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the highest of some times."""
    return {"median": round(statistics.median(values), 3), "most": round(max(values), 3)} if values else {}


def summary(report: dict[str, Any], output_dir: str) -> str:
    """Return a sentence about a report.

    Raises:
      InputError: not one file could be used.
    """
    num_drawn = report["pictures_drawn"] + report["films_drawn"]
    num_unusable = report["skipped"] + report["no_picture"]
    where = f"{output_dir}/{REPORT_FILE}"
    if not num_drawn and not report["kept"]:
        raise InputError(f"nothing could be drawn; {where} says why")
    parts = ["Nothing to do"]
    if num_drawn:
        speed = report["pictures_per_second"]
        parts = [
            f"Drew {_count(report['pictures_drawn'], 'picture')} and {_count(report['films_drawn'], 'film')} in "
            f"{report['seconds']:.0f} s" + (f", {speed:.2g} pictures a second" if speed else "")
        ]
    if report["kept"]:
        parts.append(f"kept {_count(report['kept'], 'existing result')} (--overwrite makes them again)")
    if num_unusable:
        parts.append(f"skipped {num_unusable}, {report['no_picture']} of them no picture")
    return "; ".join([*parts, f"see {where}"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
