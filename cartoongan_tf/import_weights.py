"""Convert the weights that the paper's authors released into a generator of this project.

    python -m cartoongan_tf.import_weights --weights=hayao.npz --output=hayao.keras

A .tflite file of the same name is written beside it, with which cartoonize starts in a second.

The weights may be PyTorch's .pth (if torch is installed), .npz, or a folder of .npy files. The result takes and
returns RGB, and works with cartoonize, with export, and with train as --initial_generator.
"""

import dataclasses
import sys
from pathlib import Path

from cartoongan_tf.base import program, progress
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.models import authors_files


@dataclasses.dataclass(frozen=True)
class ImportConfig(Config):
    weights: str = option(
        "The authors' generator, arrays by their PyTorch names: a .pth or .npz file, or a folder of .npy files."
    )
    output: str = option("File of the generator to write; its name ends in .keras.")
    overwrite: bool = option("Overwrite a generator that already exists, or the .tflite file beside it.", False)


def main(argv=None) -> int:
    return program.run(ImportConfig, _import_weights, __doc__, argv)


def _import_weights(config: ImportConfig, _) -> None:
    if not config.output.endswith(".keras"):
        raise InputError(f"--output={config.output}: the name must end in .keras")
    output = Path(config.output)
    for path in (output, output.with_suffix(".tflite")):
        if path.exists() and not config.overwrite:
            raise InputError(f"--output={config.output}: {path} already exists; give --overwrite, or name another file")
    weights = authors_files.read_weights(config.weights)
    program.start_tensorflow()
    from cartoongan_tf.models import authors_weights, generator_file
    from export import drawing_file

    try:
        generator = authors_weights.generator_from_weights(weights)
    except InputError as error:
        raise InputError(f"--weights={config.weights}: {error}") from None
    generator_file.save_generator(generator, output)
    print(f"Wrote {output}: {generator.count_params():,} parameters, RGB in and out.")
    try:
        with progress.stage("writing its .tflite file"):
            tflite_path = drawing_file.write_beside(output)
    except InputError as error:
        print(f"WARNING: {error}", file=sys.stderr)
    else:
        print(f"Wrote {tflite_path}, with which cartoonize draws pictures without TensorFlow.")


if __name__ == "__main__":
    sys.exit(main())
