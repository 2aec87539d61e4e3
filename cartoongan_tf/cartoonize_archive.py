"""Cartoonize an archive of pictures and films on many machines, by Apache Beam.

    python -m cartoongan_tf.cartoonize_archive --input=photos --output_dir=cartoons
    python -m cartoongan_tf.cartoonize_archive --input='gs://bucket/photos/2024-**' --output_dir=gs://bucket/cartoons \\
      --runner=DaskRunner -- --dask_client_address=tcp://scheduler:8786

draw every picture and film as cartoonize does, into the same tree. Films are drawn in parts, by several workers. Give
the same command again to resume after an interruption: it draws what is missing. report.json in the output folder
has numbers and speeds, and lists the files that could not be used. Beam's own options follow after --.
"""

import dataclasses
import json
import os
import sys
import time
from typing import Literal

from cartoongan_tf import styles
from cartoongan_tf.base import program
from cartoongan_tf.base.beam_runners import configure_file_systems
from cartoongan_tf.base.extras import require_extra
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.inference.draw_config import DrawConfig
from cartoongan_tf.media.storage import check_apart, folder_at, is_remote


@dataclasses.dataclass(frozen=True, kw_only=True)
class _PlacesConfig(Config):
    """The files to read and to write, and the cluster: the first flags in --help."""

    input: str = option(
        "Folder of pictures and films, or a path with wildcards (** goes into folders); also gs://, s3:// or hdfs://."
    )
    names_file: str = option("File with the paths to take, one a line, below the folder of --input; all if empty.", "")
    output_dir: str = option("Folder for the results, in the same tree, and for report.json.")
    overwrite: bool = option("Draw files again that have a result.", False)
    runner: Literal["DirectRunner", "DaskRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"] = option(
        "Beam's runner; DirectRunner is this machine.", "DirectRunner"
    )
    num_threads: int = option("Threads that each worker draws with; 0: one for each core it may use.", 0, at_least=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArchiveConfig(DrawConfig, _PlacesConfig):
    """Settings for one run of the program."""


def main(argv=None) -> int:
    return program.run(ArchiveConfig, _cartoonize_archive, __doc__, argv, takes_arguments=True)


def _cartoonize_archive(config: ArchiveConfig, runner_options: list[str]) -> None:
    require_extra("dask" if config.runner == "DaskRunner" else "beam", f"--runner={config.runner}")
    from cartoongan_tf.archive import beam_steps, drawing, listing, report
    from cartoongan_tf.archive.tasks import WORK_FOLDER
    from cartoongan_tf.archive.worker import WorkOrder

    begin = time.monotonic()
    configure_file_systems(runner_options)
    draw_config = _draw_config(config)
    input_dir, files = listing.find_files(_absolute(config.input), config.names_file, config.suffix)
    output_dir = _absolute(config.output_dir)
    check_apart(output_dir, {"input": input_dir})
    output = folder_at(output_dir)
    order = WorkOrder(
        input_dir, output_dir, draw_config, config.num_threads, config.overwrite, beam_options=tuple(runner_options)
    )
    with output.locked():
        to_do = files if config.overwrite else listing.without_result(files, output.names())
        outcomes = drawing.draw_files(to_do, beam_steps.on_beam(order, config.runner))
        content = report.describe(outcomes, len(files) - len(to_do), time.monotonic() - begin)
        output.write(report.REPORT_FILE, (json.dumps(content, indent=1) + "\n").encode())
        for name in output.names():
            if name.startswith(f"{WORK_FOLDER}/") or output.is_unfinished(name):  # nobody writes there any more
                output.remove(name)
    print(report.summary(content, output_dir))


def _draw_config(config: ArchiveConfig) -> DrawConfig:
    """Return the settings that workers need, with a model that all of them find."""
    names = [field.name for field in dataclasses.fields(DrawConfig)]
    draw_config = DrawConfig(**{name: getattr(config, name) for name in names})
    if is_remote(config.model):
        return draw_config
    model = styles.find_model(config.model_or_style)
    return dataclasses.replace(draw_config, model=str(model.absolute())) if config.model == str(model) else draw_config


def _absolute(path: str) -> str:
    """Return a path that names the same file on all machines."""
    return path if is_remote(path) else os.path.abspath(path)


if __name__ == "__main__":
    sys.exit(main())
