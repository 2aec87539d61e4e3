"""Turn a folder of photos and a folder of cartoon frames into training records.

    python -m data_pipeline.build_tfrecords --photos_dir=photos --cartoons_dir=frames --output_dir=data/shinkai

Pictures are resized and cropped to squares; each cartoon gets a twin with smoothed edges, which teaches the network
that clear edges matter. The two folders need not correspond. Files that are no pictures are skipped and named.
"""

import dataclasses
import os
import sys

from cartoongan_tf import program
from cartoongan_tf.errors import InputError
from cartoongan_tf.options import option


@dataclasses.dataclass(frozen=True)
class BuildConfig:
    photos_dir: str = option("Folder of photos; folders inside it are searched too.")
    cartoons_dir: str = option("Folder of cartoon frames, all of one style; folders inside it are searched too.")
    output_dir: str = option("Data folder to write, for training's --data_dir.")
    image_size: int = option("Side of the square training pictures, in pixels; a multiple of 4.", 256)
    num_workers: int = option("Threads that prepare pictures; 0: one for each core.", 0)

    def __post_init__(self):
        if self.image_size < 32 or self.image_size % 4:
            raise InputError(f"--image_size={self.image_size}: must be a multiple of 4, from 32 up")
        if self.num_workers < 0:
            raise InputError(f"--num_workers={self.num_workers}: must be 0 or more")


def main(argv=None) -> int:
    return program.run(BuildConfig, _build, __doc__, argv)


def _build(config: BuildConfig, _) -> None:
    program.start_tensorflow()
    from data_pipeline import builder

    num_workers = config.num_workers or os.cpu_count() or 1
    reports = builder.build(config.photos_dir, config.cartoons_dir, config.output_dir, config.image_size, num_workers)
    for report in reports.values():
        for path, why in report.skipped.items():
            print(f"Skipped {path}: {why}", file=sys.stderr)
    counts = ", ".join(f"{report.num_examples} {name}" for name, report in reports.items())
    num_skipped = sum(len(report.skipped) for report in reports.values())
    print(f"Wrote {config.output_dir}: {counts}" + (f"; skipped {num_skipped} files" if num_skipped else ""))


if __name__ == "__main__":
    sys.exit(main())
