"""A folder of photos: reading, drawing and writing at once, against the model alone on pictures already in memory.

    python -m benchmarks.folder --model=hayao.keras --photos_dir=photos --output=folder.md

Both take turns; the ratio is the median over the rounds.
"""

import dataclasses
import operator
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.base.timing import write_report
from cartoongan_tf.inference.jobs import find_jobs
from cartoongan_tf.media import folders, pictures


@dataclasses.dataclass(frozen=True)
class FolderConfig(Config):
    model: str = option("The model, in any form that cartoonize takes.")
    photos_dir: str = option("Folder of photos.")
    num_photos: int = option("How many of them to draw.", 12, at_least=1)
    long_side: int = option(
        "Draw them shrunk to this longer side, in pixels; 0: as large as they are.", 512, at_least=0
    )
    rounds: int = option("How often.", 3, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(FolderConfig, _folder, __doc__, argv)


def _folder(config: FolderConfig, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer
    from cartoongan_tf.inference.file_pipeline import FileOptions, RenderOptions, cartoonize_files

    cartoonizer, look = Cartoonizer.load(config.model), RenderOptions(config.long_side)
    files = folders.list_files(config.photos_dir)[: config.num_photos]
    photos = [look.shrink(pictures.read_picture(path)) for path in files]
    cartoonizer(photos[0])  # what is built at first belongs to loading
    times = {"model alone": [], "folder": []}
    for _ in range(config.rounds):
        start = time.perf_counter()
        for photo in photos:
            cartoonizer(photo)
        times["model alone"].append(time.perf_counter() - start)
        with tempfile.TemporaryDirectory() as output:
            jobs = [job for path in files for job in find_jobs([str(path)], f"{output}/{Path(path).name}")]
            start = time.perf_counter()
            problems = cartoonize_files(jobs, cartoonizer, look, FileOptions(), PictureBar(len(jobs)))
            times["folder"].append(time.perf_counter() - start)
            if problems:
                raise next(iter(problems.values()))
    write_report("benchmarks.folder", config, ("tensorflow", "keras", "pillow"), _table(times), config.output)


def _table(times: dict[str, list[float]]) -> list[str]:
    lines = ["| | median s | x model alone |", "| --- | --: | --: |"]
    for name, values in times.items():
        ratio = statistics.median(map(operator.truediv, values, times["model alone"]))
        lines.append(f"| {name} | {statistics.median(values):.2f} | {ratio:.3f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
