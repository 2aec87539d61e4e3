"""The training of a light generator's candidate on a teacher's drawings, for `benchmarks.light_generators`."""

import dataclasses
import functools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cartoongan_tf.base import atomic, program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option

_GRADIENT_WEIGHT = 0.5
_WARMUP_STEPS = 50
_LONG_SIDE_PX = 640


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearningConfig(Config):
    """Flags of the training."""

    output_dir: str = option("Folder of the trained candidates.")
    photos_dir: str = option("Folder of photos to draw after the training, which is in no data folder.", "")
    cpu_secs: float = option("Processor time to train each candidate for, in seconds.", 150.0, above=0)
    crop_size: int = option("As in training.", 96, at_least=32)
    batch_size: int = option("As in training.", 4, at_least=1)
    learning_rate: float = option("Highest learning rate; it falls to 0 along a cosine.", 1e-3, above=0)
    update_clipping: float = option("As in training.", 1.0, at_least=0)
    mixed_precision: str = option("As in training.", "auto")


def slug(name: str) -> str:
    """Return the name of a candidate as part of a file's name."""
    return name.replace(", ", "-").replace(" ", "_")


def learn(name: str, teacher: str, data_dir: str, config: LearningConfig) -> dict[str, float]:
    """Train a candidate on a teacher's drawings, or read its earlier result; returns "steps", "psnr" and "ssim"."""
    kept = Path(config.output_dir) / f"{slug(name)}-{teacher}.json"
    if kept.exists():
        return json.loads(kept.read_text())
    program.start_tensorflow()
    import keras
    import tensorflow as tf

    import benchmarks.light_candidates  # noqa: F401  adds the architectures
    from cartoongan_tf.models.generator import build_generator
    from cartoongan_tf.models.generator_file import save_generator
    from cartoongan_tf.training.networks import computing_in

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    with computing_in(config.mixed_precision):
        generator = build_generator(name)
    num_steps = _train(generator, data_dir, config)
    kept.parent.mkdir(parents=True, exist_ok=True)
    save_generator(generator, kept.with_suffix(".keras"))
    result = {"steps": num_steps, **_compare_drawings(kept.with_suffix(".keras"), data_dir, config.photos_dir)}
    with atomic.replacing(kept) as temporary:
        temporary.write_text(json.dumps(result))
    return result


def _train(generator, data_dir: str, config: LearningConfig) -> int:
    """Train for the processor time of the options; returns the number of steps."""
    import tensorflow as tf

    from cartoongan_tf.models import losses, pixels
    from cartoongan_tf.training.optimizers import ADAM_BETAS, ADAM_EPSILON, ClippedAdam

    optimizer = ClippedAdam(config.update_clipping, config.learning_rate, *ADAM_BETAS, epsilon=ADAM_EPSILON)
    optimizer.build(generator.trainable_variables)

    @tf.function
    def step(photo, drawing):
        with tf.GradientTape() as tape:
            drawn = generator(pixels.to_float(photo), training=True)
            wanted = pixels.to_float(drawing)
            distance = losses.content_loss(drawn, wanted, "l1")
            total = tf.reduce_mean(distance + _GRADIENT_WEIGHT * losses.gradient_loss(drawn, wanted))
        gradients = tape.gradient(total, generator.trainable_variables)
        optimizer.apply_gradients(zip(gradients, generator.trainable_variables, strict=True))

    batches = _batches(data_dir, config)
    step(*next(batches))
    start = time.process_time()
    num_steps = 1
    while (done := (time.process_time() - start) / config.cpu_secs) < 1:
        warmed_up = min(1.0, num_steps / _WARMUP_STEPS)
        optimizer.learning_rate.assign(config.learning_rate * warmed_up * 0.5 * (1 + math.cos(math.pi * done)))
        step(*next(batches))
        num_steps += 1
    return num_steps


def _batches(data_dir: str, config: LearningConfig) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield photos and drawings, uint8 RGB [B, S, S, 3], cut out of records that are decoded once."""
    from data_pipeline import dataset, records

    opened = records.open_records(data_dir)
    read = functools.partial(dataset.read_photos, opened, len(opened.photos))
    pairs = np.stack([read(), dataset.read_drawings(opened, len(opened.photos))], 1)
    rng = np.random.default_rng(0)
    side = config.crop_size
    while True:
        cutouts = []
        for _ in range(config.batch_size):
            top, left = rng.integers(pairs.shape[2] - side + 1, size=2)
            cutout = pairs[rng.integers(len(pairs)), :, top : top + side, left : left + side]
            cutouts.append(cutout[:, :, ::-1] if rng.random() < 0.5 else cutout)
        photos, drawings = np.stack(cutouts, 1)
        yield photos, drawings


def _compare_drawings(generator: Path, data_dir: str, photos_dir: str) -> dict[str, float]:
    """Return mean PSNR and SSIM of a generator's drawings of unseen photos to their teacher's."""
    from cartoongan_tf.base.options import build_config
    from cartoongan_tf.inference.cartoonizer import Cartoonizer
    from cartoongan_tf.media import image_measures, picture_set
    from data_pipeline.prepare import PreparationConfig
    from data_pipeline.records import read_dataset_file

    teacher = build_config(PreparationConfig, read_dataset_file(data_dir)["parameters"]).find_teacher()
    if teacher is None:
        raise InputError(f"--data_dirs: {data_dir} holds no drawings; build it with --teacher")
    cartoonizer = Cartoonizer.load(generator)
    measures = []
    for photo in picture_set.read_pictures(photos_dir, _LONG_SIDE_PX, 1).pixels:
        drawn, wanted = cartoonizer(photo), teacher.draw(photo)
        measures.append((image_measures.psnr(drawn, wanted), image_measures.luminance_similarity(drawn, wanted)))
    psnr, ssim = np.mean(measures, 0)
    return {"psnr": float(psnr), "ssim": float(ssim)}
