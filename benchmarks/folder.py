"""A folder of photos: reading, cartoonizing and writing at once, against the model alone on pictures in memory.

    python -m benchmarks.folder --model=hayao.keras --photos_dir=photos --output=folder.md

Both take turns; the ratio is the median over the rounds.
"""

import dataclasses
import operator
import statistics
import sys
import tempfile
from pathlib import Path

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.base.timing import seconds_of, write_report
from cartoongan_tf.inference.jobs import find_jobs
from cartoongan_tf.media import folders, pictures


@dataclasses.dataclass(frozen=True)
class FolderConfig(Config):
    model: str = option("The model, in any format that cartoonize takes.")
    photos_dir: str = option("Folder of photos.")
    num_photos: int = option("Number of photos to cartoonize.", 12, at_least=1)
    long_side: int = option("Shrink them to this longer side, in pixels; 0: keep their size.", 512, at_least=0)
    rounds: int = option("Number of rounds.", 3, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(FolderConfig, _folder, __doc__, argv)


def _folder(config: FolderConfig, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf import Cartoonizer
    from cartoongan_tf.inference.file_options import FileOptions, RenderOptions
    from cartoongan_tf.inference.file_pipeline import cartoonize_files

    cartoonizer = Cartoonizer.load(config.model)
    options = RenderOptions(config.long_side)
    files = folders.list_files(config.photos_dir)[: config.num_photos]
    photos = [options.shrink(pictures.read_picture(path)) for path in files]

    def draw_all():
        for photo in photos:
            cartoonizer(photo)

    def cartoonize_folder(jobs):
        problems = cartoonize_files(jobs, cartoonizer, options, FileOptions(), PictureBar(len(jobs)))
        for problem in problems.values():
            raise problem

    cartoonizer(photos[0])  # the first call builds the graph, which counts as loading
    times: dict[str, list[float]] = {"model alone": [], "folder": []}
    for _ in range(config.rounds):
        times["model alone"].append(seconds_of(draw_all))
        with tempfile.TemporaryDirectory() as output:
            jobs = [job for path in files for job in find_jobs([str(path)], f"{output}/{Path(path).name}")]
            times["folder"].append(seconds_of(cartoonize_folder, jobs))
    write_report("benchmarks.folder", config, ("tensorflow", "keras", "pillow"), _table(times), config.output)


def _table(times: dict[str, list[float]]) -> list[str]:
    lines = ["| | median s | x model alone |", "| --- | --: | --: |"]
    for name, values in times.items():
        ratio = statistics.median(map(operator.truediv, values, times["model alone"]))
        lines.append(f"| {name} | {statistics.median(values):.2f} | {ratio:.3f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
