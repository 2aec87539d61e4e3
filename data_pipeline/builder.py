"""Two folders of pictures -> a data folder of training records, made by all cores, whole or not at all."""

import contextlib
import dataclasses
import functools
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
from tqdm import tqdm

from cartoongan_tf import atomic, folders
from cartoongan_tf.errors import InputError
from data_pipeline import prepare, records

EXAMPLES_PER_SHARD = 512


@dataclasses.dataclass
class Report:
    """What became of one folder's files."""

    shards: list[str]
    num_examples: int
    skipped: dict[str, str]  # path -> why


def build(photos_dir: str, cartoons_dir: str, output_dir: str, image_size: int, num_workers: int) -> dict[str, Report]:
    """Build a data folder.

    Args:
      photos_dir, cartoons_dir: folders of pictures, searched with the folders inside them.
      output_dir: the data folder to write; it must not exist, or be empty.
      image_size: side of the square training crops, in pixels.
      num_workers: threads that read, smooth and encode; the records do not depend on their number.

    Returns:
      a report for "photos" and one for "cartoons".

    Raises:
      InputError: a folder holds no picture that can be read, or the output folder is taken.
    """
    jobs = {
        "photos": (prepare.prepare_photo, folders.list_files(photos_dir)),
        "cartoons": (prepare.prepare_cartoon, folders.list_files(cartoons_dir)),
    }
    _check_free(Path(output_dir))
    with atomic.replacing(output_dir) as folder, _workers(num_workers) as workers:
        folder.mkdir()
        reports = {name: _write(folder, name, *job, image_size, workers) for name, job in jobs.items()}
        _write_dataset_file(folder, image_size, reports)
    return reports


def _check_free(output_dir: Path) -> None:
    if output_dir.exists() and not output_dir.is_dir():
        raise InputError(f"--output_dir={output_dir}: is a file; name a folder")
    if output_dir.exists() and any(output_dir.iterdir()):
        raise InputError(f"--output_dir={output_dir}: exists already and is not empty; name another, or delete it")
    if os.path.ismount(output_dir):
        raise InputError(f"--output_dir={output_dir}: a mounted folder cannot be replaced; name a folder inside it")


@contextlib.contextmanager
def _workers(num_workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads, each with one OpenCV thread: decoding, blurring and encoding run outside Python's lock."""
    opencv_threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    workers = ThreadPoolExecutor(num_workers)
    try:
        yield workers
    finally:
        workers.shutdown(cancel_futures=True)  # after an error, the pictures still in the queue are not wanted
        cv2.setNumThreads(opencv_threads)


def _write(
    folder: Path,
    name: str,
    prepare_file: Callable,
    files: list[Path],
    image_size: int,
    workers: ThreadPoolExecutor,
) -> Report:
    report = Report([], 0, {})
    results = workers.map(functools.partial(prepare.attempt, prepare_file, image_size), files)
    progress = tqdm(zip(files, results, strict=True), desc=name, total=len(files), unit="picture")
    report.shards = records.write_shards(folder, name, _examples(progress, report), EXAMPLES_PER_SHARD)
    if not report.num_examples:
        reasons = "\n".join(f"  {path}: {why}" for path, why in list(report.skipped.items())[:5])
        raise InputError(f"none of the {len(files)} files among the {name} is a picture that can be read:\n{reasons}")
    return report


def _examples(results: Iterator[tuple[Path, dict[str, bytes] | str]], report: Report) -> Iterator[dict[str, bytes]]:
    for path, result in results:
        if isinstance(result, str):
            report.skipped[str(path)] = result
            continue
        report.num_examples += 1
        yield {**result, "source": os.fsencode(path)}


def _write_dataset_file(folder: Path, image_size: int, reports: dict[str, Report]) -> None:
    dataset = {
        "image_size": image_size,
        **{name: dataclasses.asdict(report) for name, report in reports.items()},
    }
    (folder / records.DATASET_FILE).write_text(json.dumps(dataset, indent=2) + "\n", encoding="utf-8")
