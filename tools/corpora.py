"""A trial of the programs on collections of real files: what they draw, skip with a sentence, get wrong, or fail on.

    python tools/corpora.py --collections=collections --output=corpora

Each folder in --collections is one collection, such as the test files of an image library; `git clone` fetches many.
The files go through `cartoonize`, `build_tfrecords`, `extract_frames` and, where a server takes them, the exported
signature `encoded`. ImageMagick and FFmpeg decode each of them independently. --output gets corpora.md, a table with a
row for each collection, and corpora.json with each file's outcomes. Collections that are in corpora.json are not tried
again. It takes hours and is no part of CI. --only_reading runs no program, and compares the decoders alone, which
takes a tenth of the time.
"""

import argparse
import collections
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cartoongan_tf.base.errors import InputError, assertion_text
from cartoongan_tf.media import film_formats, film_reader, folders, pictures
from export.serving.facts import MAGIC_BYTES

REPOSITORY = Path(__file__).resolve().parents[1]
DRAWN, SKIPPED, WRONG, CRASHED, SLOW = KINDS = ("drawn", "skipped", "wrong", "crashed", "slow")
MAX_PIXELS = 40_000_000
SLOW_SECS = 60
MOST_DIFFERENT = 12.0  # grey levels on average, between two decoders of one file; formats with loss may differ by some
COMPARED_PX = 64  # larger sides of both decoded pictures are shrunk to this


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collections", type=Path, required=True, help="folder with a folder for each collection")
    parser.add_argument("--output", type=Path, required=True, help="folder for corpora.md and corpora.json")
    parser.add_argument("--only_reading", action="store_true", help="compare how pictures are read, and nothing else")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "corpora.json"
    outcomes = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        encoded = None if options.only_reading else load_encoded(Path(folder, "exported"))
        for collection in sorted(folder for folder in options.collections.iterdir() if folder.is_dir()):
            if collection.name not in outcomes:
                if encoded is None:
                    outcomes[collection.name] = read_collection(collection)
                else:
                    with tempfile.TemporaryDirectory(dir=folder) as work:
                        outcomes[collection.name] = try_collection(collection, Path(work), encoded)
                path.write_text(json.dumps(outcomes, indent=1, ensure_ascii=False) + "\n")
    table = "\n".join(table_rows(outcomes)) + "\n"
    (options.output / "corpora.md").write_text(table)
    print(table)


def load_encoded(folder: Path) -> Callable[[bytes], bytes]:
    """Export the default style, and return the function that a server would run for one file."""
    status, text = run("export.export_model", "--formats=saved_model", f"--output_dir={folder}", "--name=style")
    assert status == 0, text
    model = tf.saved_model.load(str(folder / "serving" / "style" / "1"))
    signature = model.signatures["encoded"]
    signature.model = model  # keeps its variables

    def encoded(content: bytes) -> bytes:
        return signature(image_bytes=tf.constant([content]))["cartoon_bytes"].numpy()[0]

    return encoded


def read_collection(collection: Path) -> dict[str, dict[str, list[str]]]:
    """Return the outcome of reading each picture."""
    print(f"{collection.name} ...", flush=True)
    files = [file for file in folders.list_files(collection) if not film_formats.is_film(file)]
    return {str(file.relative_to(collection)): {"reading": compared(file)} for file in files}


def try_collection(collection: Path, work: Path, encoded: Callable[[bytes], bytes]) -> dict[str, dict[str, list[str]]]:
    """Return the outcome, [kind, detail], of each file in each program: {file: {program: outcome}}."""
    print(f"{collection.name} ...", flush=True)
    files = folders.list_files(collection)
    outcomes: dict[str, dict[str, list[str]]] = {str(file.relative_to(collection)): {} for file in files}
    films = [file for file in files if film_formats.is_film(file)]
    for name, outcome in cartoonized(collection, files, work / "drawn"):
        outcomes[name]["cartoonize"] = outcome
    for program, crash in (
        ("build_tfrecords", built(collection, work)),
        ("extract_frames", extracted(collection, work) if films else ""),
    ):
        if crash:
            outcomes.setdefault("(all)", {})[program] = [CRASHED, crash]
    for file in files:
        of_file = outcomes[str(file.relative_to(collection))]
        if file not in films:
            of_file["reading"] = compared(file)
            if file.read_bytes()[:16].startswith(MAGIC_BYTES):
                of_file["server"] = served(file, encoded)
        elif of_file["cartoonize"][0] == DRAWN:
            of_file["reading"] = compared_film(file)
    return outcomes


def cartoonized(collection: Path, files: list[Path], output: Path) -> Iterator[tuple[str, list[str]]]:
    """Cartoonize a collection as one folder; yield each file's outcome."""
    flags = [str(collection), f"--output={output}", "--long_side=96", f"--max_pixels={MAX_PIXELS}"]
    status, text = run("cartoongan_tf.cartoonize", *flags, timeout_secs=len(files) * SLOW_SECS)
    skipped = re.findall(r"^Skipped (.*)$", text, re.MULTILINE)
    written = {path.relative_to(output).with_suffix("").as_posix() for path in folders.list_files(output)}
    for file in files:
        name = file.relative_to(collection)
        sentences = [line for line in skipped if line.startswith(f"{file}:")]
        if sentences:
            is_unforeseen = "nobody foresaw" in sentences[0]
            yield str(name), [CRASHED if is_unforeseen else SKIPPED, sentences[0].removeprefix(f"{file}: ")]
        elif {name.as_posix(), name.with_suffix("").as_posix()} & written:
            yield str(name), [DRAWN, ""]
        else:
            yield str(name), [CRASHED, f"no result and no sentence; status {status}"]


def built(collection: Path, work: Path) -> str:
    """Build records with the collection as photos; return the traceback's last line, if there is one."""
    cartoons = REPOSITORY / "export" / "photos"
    flags = [f"--photos_dir={collection}", f"--cartoons_dir={cartoons}", f"--output_dir={work / 'records'}"]
    return crash_of(run("data_pipeline.build_tfrecords", *flags, "--image_size=64", "--min_side_px=1"))


def extracted(collection: Path, work: Path) -> str:
    """Extract frames of all films; return the traceback's last line, if there is one."""
    return crash_of(run("data_pipeline.extract_frames", f"--video={collection}", f"--output_dir={work / 'frames'}"))


def crash_of(result: tuple[int, str]) -> str:
    status, text = result
    if "Traceback" in text or status not in (0, 1, 2):
        return f"status {status}: {text.strip().splitlines()[-1][:200]}"
    return ""


def compared(file: Path) -> list[str]:
    """Read a picture here, by ImageMagick and by FFmpeg; return the outcome."""
    begin_secs = time.monotonic()
    try:
        picture = pictures.read_picture(file, MAX_PIXELS)
    except InputError as error:
        return [SKIPPED, str(error).removeprefix(f"{file}: ")]
    except Exception as error:
        return [CRASHED, f"{type(error).__name__}: {error}"[:200]]
    if time.monotonic() - begin_secs > SLOW_SECS:
        return [SLOW, f"{time.monotonic() - begin_secs:.0f} s"]
    small = shrunk(picture)
    size = f"{small.shape[1]}x{small.shape[0]}!"
    shown = ["-auto-orient", "-background", "white", "-flatten", "-resize", size, "-depth", "8", "rgb:-"]
    return judged(small, ["convert", f"{file}[0]", *shown], ffmpeg_command(file, small))


def compared_film(file: Path) -> list[str]:
    """Compare a film's first picture here with FFmpeg's."""
    with film_reader.opened(file) as reader:
        picture = pictures.over_white(next(reader.batches(1)).pictures[0])
    small = shrunk(picture)
    return judged(small, ffmpeg_command(file, small))


def shrunk(picture: np.ndarray) -> np.ndarray:
    """Return a picture, uint8 RGB [H, W, 3], with sides of at most COMPARED_PX, as float32."""
    height, width = (min(side, COMPARED_PX) for side in picture.shape[:2])
    return tf.image.resize(picture, (height, width), "area").numpy()


def ffmpeg_command(file: Path, small: np.ndarray) -> list[str]:
    size = f"scale={small.shape[1]}:{small.shape[0]}:flags=area"
    shown = ["-frames:v", "1", "-vf", size, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return ["ffmpeg", "-v", "error", "-i", str(file), *shown]


def judged(picture: np.ndarray, *commands: list[str]) -> list[str]:
    """Return the outcome of a picture, float32 RGB [H, W, 3], by the decoder that agrees best."""
    levels = [value for command in commands if (value := difference(picture, command)) is not None]
    if not levels:
        return [DRAWN, "no other decoder can read it"]
    return [WRONG if min(levels) > MOST_DIFFERENT else DRAWN, f"{min(levels):.1f} levels from another decoder"]


def difference(picture: np.ndarray, command: list[str]) -> float | None:
    """Return the mean difference to what a command writes to its standard output; None if that is no picture."""
    try:
        content = subprocess.run(command, capture_output=True, timeout=SLOW_SECS).stdout
    except subprocess.TimeoutExpired:
        return None
    if len(content) < picture.size:
        return None
    other = np.frombuffer(content, np.uint8)[: picture.size].reshape(picture.shape)
    return float(np.abs(picture - other).mean())


def served(file: Path, encoded: Callable[[bytes], bytes]) -> list[str]:
    """Draw a file by the signature `encoded`; return the outcome."""
    try:
        encoded(file.read_bytes())
    except tf.errors.InvalidArgumentError as error:
        return [SKIPPED, assertion_text(str(error))]
    except tf.errors.OpError as error:
        return [CRASHED, f"{type(error).__name__}: {str(error)[:200]}"]
    return [DRAWN, ""]


def run(module: str, *arguments: str, timeout_secs: float = 3600) -> tuple[int, str]:
    """Run one of the programs; return its status and what it said on standard error, each state of a bar on a line."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=timeout_secs)
    except subprocess.TimeoutExpired:
        return 124, f"Traceback: no end after {timeout_secs:.0f} s"
    return result.returncode, result.stderr.decode(errors="replace").replace("\r", "\n")


def table_rows(outcomes: dict[str, dict[str, dict[str, Any]]]) -> Iterator[str]:
    yield f"| collection | files | program | {' | '.join(KINDS)} |"
    yield f"| --- | --: | --- |{' --: |' * len(KINDS)}"
    totals: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for name, files in outcomes.items():
        counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
        for of_file in files.values():
            for program, (kind, _) in of_file.items():
                counts[program][kind] += 1
                totals[program][kind] += 1
        for program, count in counts.items():
            yield f"| {name} | {len(files)} | {program} | {' | '.join(str(count[kind]) for kind in KINDS)} |"
    for program, count in totals.items():
        num_files = sum(map(len, outcomes.values()))
        yield f"| all | {num_files} | {program} | {' | '.join(str(count[kind]) for kind in KINDS)} |"


if __name__ == "__main__":
    main()
