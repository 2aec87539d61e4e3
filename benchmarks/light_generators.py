"""Designs of the light generator, compared by what they learn of teachers in equal time, by speed and by memory.

    python -m benchmarks.light_generators --data_dirs=abstraction=data/abstraction,hayao=data/hayao \
        --photos_dir=held_photos --output_dir=light --cpu_secs=150

The data folders are those of `build_tfrecords --teacher`. Each candidate of `light_candidates` learns the drawings of
each for the same processor time, in a process with one thread, and then draws photos that it has not seen. Distances
are to their own teacher's drawings. Then all candidates and the paper's generator take turns as TFLite. The same
command resumes after an interruption.
"""

import dataclasses
import operator
import statistics
import sys
from pathlib import Path

import numpy as np

from benchmarks import light_learning
from benchmarks.light_learning import LearningConfig
from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.options import option
from cartoongan_tf.base.timing import TimedProcess, fresh_process, seconds_in_turns, write_report

PACKAGES = ("tensorflow", "keras", "ai-edge-litert")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LightConfig(LearningConfig):
    data_dirs: str = option("Data folders by their teachers' names: NAME=FOLDER,NAME=FOLDER; none: only speeds.", "")
    candidates: str = option("Candidates to compare, separated by semicolons; all by default.", "")
    size_px: int = option("Side of the square pictures for timing, in pixels.", 512, at_least=8)
    num_threads: int = option("Number of threads for timing.", 1, at_least=1)
    rounds: int = option("Number of timed pictures of each.", 7, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")

    def folders(self) -> dict[str, str]:
        """Return the data folders by their teachers' names."""
        return dict(entry.split("=", 1) for entry in filter(None, self.data_dirs.split(",")))


def main(argv=None) -> int:
    return program.run(LightConfig, _compare, __doc__, argv)


def _compare(config: LightConfig, _) -> None:
    names = config.candidates.split(";") if config.candidates else _all_names()
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for teacher, data_dir in config.folders().items():
        for name in names:
            with fresh_process() as process:
                results[name].append(process.submit(light_learning.learn, name, teacher, data_dir, config).result())
    folder = Path(config.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with fresh_process() as process:
        costs = process.submit(convert, ["paper", *names], folder).result()
    times, megabytes = _measure(["paper", *names], config)
    headings = ["", "parameters", "GMAC", "ms", "times as fast", "peak MB"]
    for teacher in config.folders():
        headings += [f"{teacher}: steps", "dB", "SSIM"]
    lines = [f"| {' | '.join(headings)} |", "| --- |" + " --: |" * (len(headings) - 1)]
    for name, secs in times.items():
        faster = statistics.median(map(operator.truediv, times["paper"], secs))
        cells = [*costs[name], f"{1e3 * statistics.median(secs):.0f}", f"{faster:.1f}", f"{megabytes[name]:.0f}"]
        for result in results.get(name, [{}] * len(config.folders())):
            cells += [f"{result[key]:{form}}" if result else "-" for key, form in _SHOWN.items()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write_report("benchmarks.light_generators", config, PACKAGES, lines, config.output)


_SHOWN = {"steps": ",.0f", "psnr": ".2f", "ssim": ".3f"}


def _measure(names: list[str], config: LightConfig) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Time one picture with each model, in turns, and take the memory of each: seconds and megabytes, by name."""
    shape = (1, config.size_px, config.size_px, 3)
    photo = np.random.default_rng(0).random(shape, np.float32) * 2 - 1
    folder = Path(config.output_dir)
    loaders = {name: (load, folder / f"{light_learning.slug(name)}.tflite", config.num_threads) for name in names}
    megabytes = {}
    for name, loader in loaders.items():
        with TimedProcess(*loader) as process:
            process.call(photo)
            megabytes[name] = process.peak_bytes() / 1e6
    return seconds_in_turns(loaders, photo, config.rounds), megabytes


def load(path: Path, num_threads: int):
    """Load a .tflite file."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    return TFLiteGenerator.load(path, num_threads)


def _all_names() -> list[str]:
    with fresh_process() as process:
        return process.submit(candidate_names).result()


def candidate_names() -> list[str]:
    """Return the names of all candidates; called in a process of its own, as it starts TensorFlow."""
    program.start_tensorflow()
    from benchmarks.light_candidates import CANDIDATES

    return list(CANDIDATES)


def convert(names: list[str], folder: Path) -> dict[str, tuple[str, str]]:
    """Write each model as TFLite, fp32.

    Returns:
      cells of the table by name: parameters, and billions of multiplications at 256 px.
    """
    program.start_tensorflow()
    import benchmarks.light_candidates  # noqa: F401
    from benchmarks.generator_costs import num_multiplications
    from cartoongan_tf.models.generator import build_generator
    from export.tflite import convert
    from export.tflite_metadata import Metadata

    costs = {}
    for name in names:
        generator = build_generator(name)
        with atomic.replacing(folder / f"{light_learning.slug(name)}.tflite") as temporary:
            temporary.write_bytes(convert(generator, "fp32", Metadata(name)))
        giga = num_multiplications(generator, 256, 256) / 1e9
        costs[name] = (f"{generator.count_params():,}", f"{giga:.2f}")
    return costs


if __name__ == "__main__":
    sys.exit(main())
