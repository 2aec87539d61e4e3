"""Write the .tflite file beside a .keras file, with which cartoonize draws pictures without starting TensorFlow.

    python -m export.write_tflite --model=runs/shinkai/generator.keras

Training does it at its end, and import_weights, too. This program does it for the checkpoint of a run that is not done.
The file is compared with the original first; when the .keras file changes, cartoonize no longer uses it.
"""

import dataclasses
import sys
from pathlib import Path

from cartoongan_tf.base import program, progress
from cartoongan_tf.base.options import Config, option, require


@dataclasses.dataclass(frozen=True)
class WriteConfig(Config):
    model: str = option("The generator: a .keras file, as training and import_weights write it.")

    def __post_init__(self):
        super().__post_init__()
        require(self, "model", self.model.endswith(".keras"), "name a .keras file")


def main(argv=None) -> int:
    return program.run(WriteConfig, _write, __doc__, argv)


def _write(config: WriteConfig, _) -> None:
    program.start_tensorflow()
    from export import drawing_file

    with progress.stage("converting and comparing"):
        path = drawing_file.write_beside(Path(config.model))
    print(f"Wrote {path}: cartoonize --model={config.model} draws pictures with it.")


if __name__ == "__main__":
    sys.exit(main())
