"""The check that all workers train the same, before they begin: otherwise they would wait for each other for ever."""

import dataclasses
import zlib

import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import flagfile_text
from cartoongan_tf.training import run_record
from cartoongan_tf.training.config import TrainConfig
from cartoongan_tf.training.distribution import same_everywhere
from cartoongan_tf.training.precision import precision_to_use
from cartoongan_tf.training.resumption import Resumption
from cartoongan_tf.training.run_folder import RunFolder


def require_same_everywhere(
    strategy: tf.distribute.Strategy, config: TrainConfig, folder: RunFolder, resumption: Resumption
) -> None:
    """Raise InputError if workers differ in flags, data, precision or schedule. All must call it at the same point.

    Paths may differ from worker to worker.
    """
    shared_config = dataclasses.replace(config, data_dir="", run_dir="", vgg19_weights="", initial_generator="")
    data_hash = run_record.data_hash(config.data_dir)
    recipe = f"{flagfile_text(shared_config, '')}{data_hash}{precision_to_use(config.mixed_precision)}"
    if not same_everywhere(strategy, _checksum(recipe)):
        raise InputError(
            "the workers were started with different flags or data, or --mixed_precision=auto means another thing on "
            "each; give all of them the same command, and the same --data_dir or equal copies of it"
        )
    # Workers at different steps go on to `loop.restore`, which names the steps.
    has_same_step = same_everywhere(strategy, resumption.step)
    if has_same_step and not same_everywhere(strategy, _checksum(repr(resumption.schedule))):
        raise InputError(
            f"--run_dir: the workers found different {folder.schedule.name} there; name a folder on storage that all "
            "of them share"
        )


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode())
