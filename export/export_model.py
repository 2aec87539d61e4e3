"""Export a trained generator for servers and for phones.

    python -m export.export_model --model=runs/shinkai/generator.keras --name=shinkai --output_dir=exported

writes exported/serving/shinkai/1/ (a SavedModel under a TensorFlow Serving base path; the next export is 2) and
exported/tflite/shinkai-fp32.tflite and shinkai-fp16.tflite. Each is run and compared with the original before it
gets its name; the command fails otherwise.
"""

import dataclasses
import re
import sys
from pathlib import Path

from cartoongan_tf import program
from cartoongan_tf.errors import InputError
from cartoongan_tf.options import option


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    model: str = option("The generator: a .keras file, as training writes it.")
    name: str = option("The style's name, for files and for the server: letters, digits, - and _.")
    output_dir: str = option("Folder for serving/ and tflite/.")

    def __post_init__(self):
        if not re.fullmatch(r"\w[\w-]*", self.name, re.ASCII):
            raise InputError(f"--name={self.name}: use letters, digits, - and _ only")


def main(argv=None) -> int:
    return program.run(ExportConfig, _export, __doc__, argv)


def _export(config: ExportConfig, _) -> None:
    program.start_tensorflow()
    from tqdm import tqdm

    from cartoongan_tf.checkpoints import load_generator
    from export.saved_model import export_saved_model
    from export.tflite import export_tflite

    generator = load_generator(config.model)
    output_dir = Path(config.output_dir)
    report = []
    with tqdm(total=3, desc="export", unit="file") as progress:
        for precision in ("fp32", "fp16"):
            path = output_dir / "tflite" / f"{config.name}-{precision}.tflite"
            score = export_tflite(generator, path, precision)
            report.append(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {score:.1f} dB against Keras")
            progress.update()
        # Last, when all else went well: a server that polls the base path loads it at once.
        folder = export_saved_model(generator, output_dir / "serving" / config.name)
        report.append(f"{folder}/saved_model.pb: runs in the server's session, within one grey level of Keras")
        progress.update()
    print("Wrote\n  " + "\n  ".join(report))


if __name__ == "__main__":
    sys.exit(main())
