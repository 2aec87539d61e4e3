"""Reading records: batches against training steps, and the time of each part of reading.

    python -m benchmarks.dataset --data_dir=data/shinkai --output=dataset.md

Batches from the data folder, as training gets them, take turns with adversarial steps on one batch in memory. VGG19 has
random weights, with which its time is the same. The parts of reading are timed one after the other in one thread; the
pipeline runs them in parallel.
"""

import dataclasses
import itertools
import operator
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import write_report

_CALLS_OF_PARTS = 50


@dataclasses.dataclass(frozen=True)
class DatasetConfig(Config):
    data_dir: str = option("Data folder of build_tfrecords.")
    batch_size: int = option("Number of pictures in a batch.", 4, at_least=1)
    crop_size: int = option("Side of the crops, in pixels; 0: complete pictures.", 0, at_least=0)
    generator_width: int = option(
        "Filters of the generator's first convolution; 16 is a quarter of the paper's.", 16, at_least=1
    )
    num_batches: int = option("Number of batches in a round.", 50, at_least=1)
    num_steps: int = option("Number of training steps in a round.", 2, at_least=1)
    rounds: int = option("Number of rounds.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(DatasetConfig, _dataset, __doc__, argv)


def _dataset(config: DatasetConfig, _) -> None:
    program.start_tensorflow()
    from data_pipeline import dataset, records

    opened = records.open_records(config.data_dir)
    batches = iter(dataset.build_dataset(opened, config.batch_size, seed=0, crop_size=config.crop_size))
    step = _training_step(config, next(batches))
    secs: dict[str, list[float]] = {"batch read": [], "training step": []}
    for _ in range(config.rounds):
        secs["batch read"].append(_timed(lambda: next(batches), config.num_batches))
        secs["training step"].append(_timed(step, config.num_steps))
    lines = [*_table(secs), "", *_parts_table(dict(_parts(opened, config)))]
    write_report("benchmarks.dataset", config, ("tensorflow", "keras"), lines, config.output)


def _timed(work: Callable, count: int) -> float:
    """Return the seconds of one call, from several."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - start) / count


def _training_step(config: DatasetConfig, batch: dict) -> Callable[[], None]:
    """Return an adversarial step on a batch, traced already."""
    import tensorflow as tf

    from cartoongan_tf.training import schedule, step_graph, steps
    from cartoongan_tf.training.config import TrainConfig
    from cartoongan_tf.training.networks import build_networks

    step_graph.switch_remapper_off()
    recipe = TrainConfig(
        data_dir=config.data_dir,
        run_dir="",
        vgg19_weights="random",
        batch_size=config.batch_size,
        generator_width=config.generator_width,
        pool_size=0,  # so that any batch will do
    )
    networks = build_networks(recipe, schedule.plan(recipe, steps_per_epoch=1), image_size=batch["photo"].shape[1])
    graph = tf.function(lambda: steps.adversarial_step(networks, batch, recipe))

    def step() -> None:
        float(graph()["generator_loss"])  # waits for the result

    step()
    return step


def _parts(opened, config: DatasetConfig) -> Iterator[tuple[str, float]]:
    """Yield the parts of reading a batch, with the seconds that each takes in one thread."""
    import tensorflow as tf

    from data_pipeline import dataset, records

    size = opened.image_size
    photo_numbers = itertools.cycle(range(len(opened.photos)))
    cartoon_numbers = itertools.cycle(range(len(opened.cartoons)))
    photo_record = opened.photos.read(0)
    cartoon_record = opened.cartoons.read(0)
    photo = records.parse_photo(photo_record, size)[tf.newaxis]
    cartoon = tf.stack(records.parse_cartoon(cartoon_record, size))  # and its edge-smoothed copy
    vary = tf.function(dataset.variation(0, size, config.crop_size or size))

    def read():
        opened.photos.read(next(photo_numbers))
        opened.cartoons.read(next(cartoon_numbers))

    def decode():
        records.parse_photo(photo_record, size)
        records.parse_cartoon(cartoon_record, size)

    def crop_and_flip():
        vary(photo, tf.constant(0, tf.int64))
        vary(cartoon, tf.constant(0, tf.int64))

    parts = {
        "reading, with checksums": read,
        "decoding PNG": decode,
        "cropping and flipping": crop_and_flip,
        "batching": lambda: tf.stack([photo[0]] * 3),
    }
    for name, work in parts.items():
        work()
        yield name, _timed(work, _CALLS_OF_PARTS) * config.batch_size


def _table(secs: dict[str, list[float]]) -> list[str]:
    lines = ["| | median ms |", "| --- | --: |"]
    for name, values in secs.items():
        lines.append(f"| {name} | {statistics.median(values) * 1e3:.1f} |")
    ratio = statistics.median(map(operator.truediv, secs["training step"], secs["batch read"]))
    return [*lines, "", f"Reading is {ratio:.0f} times as fast as training."]


def _parts_table(parts: dict[str, float]) -> list[str]:
    total = sum(parts.values())
    lines = ["| reading a batch, in one thread | ms | share |", "| --- | --: | --: |"]
    for name, secs in parts.items():
        lines.append(f"| {name} | {secs * 1e3:.2f} | {secs / total:.0%} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
