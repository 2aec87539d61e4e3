"""Turn a folder of photos and a folder of cartoon frames into training records.

    python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir=data/shinkai

Pictures are cropped to squares and resized. Each cartoon gets a copy with smoothed edges, which teaches the network
that clear edges matter. The two folders need not be paired. Files that are not pictures, tiny and blank pictures, and
duplicates are skipped; dataset.json in the data folder lists them. To resume an interrupted build, give the same
command again. Then look at the records:

    python -m data_pipeline.inspect_records --data_dir=data/shinkai
"""

import dataclasses
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Literal

from cartoongan_tf.base import program
from cartoongan_tf.base.beam_runners import configure_file_systems
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, build_config, option
from cartoongan_tf.media.storage import folder_at, is_remote
from data_pipeline.prepare import PreparationConfig

if TYPE_CHECKING:
    from data_pipeline.builder import MakeShards


_PURPOSES = {"train": "to train on", "validation": "held out for validation"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _FoldersConfig(Config):
    """The folders to read and to write: the first flags in --help."""

    photos_dir: str = option("Folder of photos; subfolders are searched too.")
    cartoons_dir: str = option(
        "Folder of cartoon frames, all in one style; subfolders are searched too. It may be left out with a --teacher.",
        "",
    )
    output_dir: str = option("Data folder to write, for --data_dir of training.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig(PreparationConfig, _FoldersConfig):
    """All flags of the program."""

    num_workers: int = option("Threads that prepare pictures on this machine; 0: one for each core.", 0, at_least=0)
    runner: Literal["local", "DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"] = option(
        "Where to run: local is this machine; the others are Apache Beam's, whose own options follow after --.",
        "local",
    )
    strict: bool = option("Stop at the first file that cannot be read, instead of skipping it.", False)
    overwrite: bool = option("Replace records of other pictures or flags in --output_dir.", False)

    def __post_init__(self):
        super().__post_init__()
        if not self.cartoons_dir and not self.teacher:
            raise InputError(
                "--cartoons_dir is missing: name a folder of cartoon frames, or who draws the photos, by --teacher"
            )

    def folders(self) -> dict[str, str]:
        """Return the folders to read, by the kind of their pictures."""
        given = {"photos": self.photos_dir, "cartoons": self.cartoons_dir}
        return {kind: folder for kind, folder in given.items() if folder}


def main(argv=None) -> int:
    return program.run(BuildConfig, _build, __doc__, argv, takes_arguments=True)


def _build(config: BuildConfig, runner_options: list[str]) -> None:
    if config.runner != "local":
        require_extra("beam", f"--runner={config.runner}")
    if config.faces:
        require_extra("faces", "--faces")
    sources = {kind: folder_at(folder) for kind, folder in config.folders().items()}
    output = folder_at(config.output_dir)
    if any(map(is_remote, (*config.folders().values(), config.output_dir))):
        configure_file_systems(runner_options)
    program.start_tensorflow()
    from data_pipeline import builder

    preparation = build_config(PreparationConfig, config.parameters())
    make_shards = _make_shards(config, runner_options)
    dataset = builder.build(sources, output, preparation, make_shards, config.strict, config.overwrite)
    _report(config, dataset)


def _make_shards(config: BuildConfig, runner_options: list[str]) -> "MakeShards":
    from data_pipeline import builder

    if config.runner == "local":
        if runner_options:
            problem = "is not a flag of this program; Beam's own options follow after --, and need a --runner"
            raise InputError(f"{runner_options[0]}: {problem}")
        return builder.in_threads(config.num_workers or os.cpu_count() or 1)

    from data_pipeline import beam_builder

    return beam_builder.on_beam(config.runner, runner_options)


def _report(config: BuildConfig, dataset: dict) -> None:
    """Print the numbers of examples, the files that could not be read, and how many others were skipped."""
    folders = config.folders()
    num_skipped: Counter[str] = Counter()
    for kind, folder in folders.items():
        num_skipped.update(dataset[kind]["num_skipped"])
        for name, (reason, detail) in dataset[kind]["skipped"].items():
            if reason == "unreadable":
                print(f"Skipped {os.path.join(folder, name)}: {detail}", file=sys.stderr)
    for split, purpose in _PURPOSES.items():
        if split == "validation" and not config.validation_fraction:
            continue
        counts = ", ".join(f"{dataset[kind][split]['examples']} {kind}" for kind in folders)
        print(f"{config.output_dir}: {counts} {purpose}")
    if num_skipped:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(num_skipped.items()))
        print(f"Skipped: {counts}; {config.output_dir}/dataset.json lists them.")
    print(f"Look at them:\n    python -m data_pipeline.inspect_records --data_dir={config.output_dir}")


if __name__ == "__main__":
    sys.exit(main())
