"""Reading records: batches against training steps, and where the reading's time goes.

    python -m benchmarks.dataset --data_dir=data/shinkai --output=dataset.md

Both take turns: so many batches from the data folder as training gets them, and as many adversarial steps (VGG19
included, with random weights: its time is the same) on one batch that is in memory. The parts are timed one after the
other in one thread; the pipeline runs them in parallel.
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


@dataclasses.dataclass(frozen=True)
class DatasetConfig(Config):
    data_dir: str = option("Data folder of build_tfrecords.")
    batch_size: int = option("Pictures in a batch.", 4, at_least=1)
    crop_size: int = option("Side of the crops, in pixels; 0: all of each picture.", 0, at_least=0)
    generator_width: int = option(
        "Filters of the generator's first convolution; 16 is a quarter of the paper's.", 16, at_least=1
    )
    num_batches: int = option("Batches to read in a round.", 50, at_least=1)
    num_steps: int = option("Training steps in a round.", 2, at_least=1)
    rounds: int = option("How often.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


def main(argv=None) -> int:
    return program.run(DatasetConfig, _dataset, __doc__, argv)


def _dataset(config: DatasetConfig, _) -> None:
    program.start_tensorflow()
    from data_pipeline import dataset, records

    opened = records.open_records(config.data_dir)
    batches = iter(dataset.build_dataset(opened, config.batch_size, seed=0, crop_size=config.crop_size))
    step = _training_step(config, next(batches))
    secs = {"batch read": [], "training step": []}
    for _ in range(config.rounds):
        secs["batch read"].append(_timed(lambda: next(batches), config.num_batches))
        secs["training step"].append(_timed(step, config.num_steps))
    lines = [*_table(secs), "", *_parts_table(dict(_parts(opened, config)))]
    write_report("benchmarks.dataset", config, ("tensorflow", "keras"), lines, config.output)


def _timed(work: Callable, count: int) -> float:
    """Seconds for one call."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return (time.perf_counter() - start) / count


def _training_step(config: DatasetConfig, batch: dict) -> Callable[[], None]:
    """One adversarial step on a batch, traced already."""
    import tensorflow as tf

    from cartoongan_tf.training import schedule, steps
    from cartoongan_tf.training.config import TrainConfig
    from cartoongan_tf.training.networks import build_networks

    tf.config.optimizer.set_experimental_options({"remapping": False})  # as training does
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
    """What a batch's reading is made of, and the seconds that each part takes in one thread."""
    import tensorflow as tf

    from data_pipeline import dataset, records

    size = opened.image_size
    photos, cartoons = itertools.cycle(range(len(opened.photos))), itertools.cycle(range(len(opened.cartoons)))
    data = opened.photos.read(0), opened.cartoons.read(0)
    images = records.parse_photo(data[0], size)[tf.newaxis], tf.stack(records.parse_cartoon(data[1], size))
    vary = tf.function(dataset.variation(0, size, config.crop_size or size))
    parts = {
        "reading, with checksums": lambda: (opened.photos.read(next(photos)), opened.cartoons.read(next(cartoons))),
        "decoding PNG": lambda: (records.parse_photo(data[0], size), records.parse_cartoon(data[1], size)),
        "cropping and flipping": lambda: [vary(image, tf.constant(0, tf.int64)) for image in images],
        "batching": lambda: tf.stack([images[0][0]] * 3),
    }
    for name, work in parts.items():
        work()
        yield name, _timed(work, 50) * config.batch_size


def _table(secs: dict[str, list[float]]) -> list[str]:
    lines = ["| | median ms |", "| --- | --: |"]
    lines += [f"| {name} | {statistics.median(values) * 1e3:.1f} |" for name, values in secs.items()]
    ratio = statistics.median(map(operator.truediv, secs["training step"], secs["batch read"]))
    return [*lines, "", f"Reading delivers {ratio:.0f} times what training takes."]


def _parts_table(parts: dict[str, float]) -> list[str]:
    whole = sum(parts.values())
    lines = ["| a batch's reading, in one thread | ms | share |", "| --- | --: | --: |"]
    return lines + [f"| {name} | {secs * 1e3:.2f} | {secs / whole:.0%} |" for name, secs in parts.items()]


if __name__ == "__main__":
    sys.exit(main())
