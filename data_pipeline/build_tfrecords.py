"""Turn a folder of photos and a folder of cartoon frames into training records.

    python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir=data/shinkai

Pictures are resized and cropped to squares; each cartoon gets a twin with smoothed edges, which teaches the network
that clear edges matter. The two folders need not correspond. Files that are no pictures, tiny and blank ones and
duplicates are left out; dataset.json in the data folder names them. A build that was cut off goes on when you give its
command again. Then look at the records:

    python -m data_pipeline.inspect_records --data_dir=data/shinkai
"""

import dataclasses
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Literal

from cartoongan_tf.base import program
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from data_pipeline.prepare import PreparationConfig
from data_pipeline.storage import folder_at


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Folders(Config):
    photos_dir: str = option("Folder of photos; folders inside it are searched too.")
    cartoons_dir: str = option("Folder of cartoon frames, all of one style; folders inside it are searched too.")
    output_dir: str = option("Data folder to write, for training's --data_dir.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig(PreparationConfig, _Folders):
    num_workers: int = option("Threads that prepare pictures here; 0: one for each core.", 0, at_least=0)
    runner: Literal["local", "DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"] = option(
        "Where to work: local is this machine; the others are Apache Beam's, whose own options follow after --.",
        "local",
    )
    strict: bool = option("Stop at the first file that cannot be read, instead of leaving it out.", False)
    overwrite: bool = option("Begin anew where --output_dir holds records of other pictures or flags.", False)


def main(argv=None) -> int:
    return program.run(BuildConfig, _build, __doc__, argv, takes_arguments=True)


def _build(config: BuildConfig, runner_options: list[str]) -> None:
    if config.runner != "local":
        require_extra("beam", f"--runner={config.runner}")
    sources = {"photos": folder_at(config.photos_dir), "cartoons": folder_at(config.cartoons_dir)}
    output = folder_at(config.output_dir)
    program.start_tensorflow()
    from data_pipeline import builder

    dataset = builder.build(
        sources,
        output,
        PreparationConfig(**config.parameters()),
        _make_shards(config, runner_options),
        config.strict,
        config.overwrite,
    )
    _report(config, dataset)


def _make_shards(config: BuildConfig, runner_options: list[str]) -> Callable:
    from data_pipeline import builder

    if config.runner == "local":
        if runner_options:
            problem = "is no flag of this program; Beam's own options follow after --, and need a --runner"
            raise InputError(f"{runner_options[0]}: {problem}")
        return builder.in_threads(config.num_workers or os.cpu_count() or 1)

    from data_pipeline import beam_builder

    return beam_builder.on_beam(config.runner, runner_options)


def _report(config: BuildConfig, dataset: dict) -> None:
    """Say what was made, name the files that could not be read, and count the others that were left out."""
    skipped = Counter()
    for kind, folder in (("photos", config.photos_dir), ("cartoons", config.cartoons_dir)):
        skipped.update(dataset[kind]["num_skipped"])
        for name, (reason, detail) in dataset[kind]["skipped"].items():
            if reason == "unreadable":
                print(f"Left out {os.path.join(folder, name)}: {detail}", file=sys.stderr)
    splits = {"train": "to train on", "validation": "held out"}
    for split, purpose in splits.items():
        counts = ", ".join(f"{dataset[kind][split]['examples']} {kind}" for kind in ("photos", "cartoons"))
        if split == "train" or config.validation_fraction:
            print(f"{config.output_dir}: {counts} {purpose}")
    if skipped:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()))
        print(f"Left out: {counts}; {config.output_dir}/dataset.json names them.")
    print(f"Look at them:\n    python -m data_pipeline.inspect_records --data_dir={config.output_dir}")


if __name__ == "__main__":
    sys.exit(main())
