"""Ways to int8 activations: how near each comes to Keras, and what it gains, in one run.

    python -m benchmarks.int8_activations --model=hayao.keras --calibration_dir=photos --output=int8.md

All files take 256 x 256 pixels and are made from the same float file. PSNR is against Keras, on photos that no range
was learned from. For the times all files take turns; what takes more than 5 s is timed once.
"""

import dataclasses
import functools
import operator
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import take_turns, write_report

SIZE_PX = (256, 256)
FLOAT, KERNELS = "float32", "kernels alone in int8 (the file int8)"
PACKAGES = ("tensorflow", "ai-edge-litert", "ai-edge-quantizer")
_SLOW_SECS = 5.0
# The convolutions of the paper's network by their names, those that enlarge one by one.
_ALL_BUT = {
    "and the last of them": r".*(up1|up2_conv1).*",
    "and the second to last": r".*(up1|up2_conv2).*",
    "and the third to last": r".*(up2|up1_conv1).*",
    "and the fourth to last": r".*(up2|up1_conv2).*",
}


@dataclasses.dataclass(frozen=True)
class Int8Config(Config):
    model: str = option("The generator: a .keras file.")
    calibration_dir: str = option("A folder of photos to learn ranges from.")
    photos_dir: str = option("A folder of other photos to compare on, instead of the four that come with this.", "")
    threads: int = option("To compute with.", 2, at_least=1)
    rounds: int = option("How often each file is timed.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


@dataclasses.dataclass(frozen=True)
class Row:
    """What one way gave; see `export.parity`."""

    way: str
    megabytes: float
    psnr_db: float
    median_psnr_db: float
    ssim: float
    seconds: float
    ratio: float  # to float32


def main(argv=None) -> int:
    return program.run(Int8Config, _benchmark, __doc__, argv)


def _benchmark(config: Int8Config, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf.models.generator_file import load_generator
    from export import parity, tflite

    generator = load_generator(config.model)
    photos = parity.read_photos(config.photos_dir or parity.OWN_PHOTOS, long_side=2 * max(SIZE_PX))
    learned = parity.read_photos(config.calibration_dir, tflite.NUM_CALIBRATION_PHOTOS, 2 * max(SIZE_PX))
    photos, learned = ([parity.fitting(photo, SIZE_PX) for photo in folder] for folder in (photos, learned))
    made = files(generator, learned)
    failed = {way: problem for way, content in made.items() if (problem := _problem(content, photos[0]))}
    working = {way: content for way, content in made.items() if way not in failed}
    rows = measure(generator, photos, working, config)
    lines = [*_table(rows), *(f"\nDoes not run: {way} ({problem})" for way, problem in failed.items())]
    write_report("benchmarks.int8_activations", config, PACKAGES, lines, config.output)


def files(generator, calibration: Sequence[np.ndarray]) -> dict[str, bytes]:
    """The contents of each way's .tflite file."""
    from ai_edge_quantizer import recipe

    from export import tflite
    from export.tflite_file import Metadata

    plain = tflite.convert(generator, "fp32", Metadata("plain"), SIZE_PX)
    in_integers = tflite.integer_convolutions
    ways: dict[str, Callable[[], bytes]] = {
        FLOAT: lambda: plain,
        KERNELS: lambda: tflite.quantize(plain, recipe.weight_only_wi8_afp32()),
        "TensorFlow's converter, all in int8": lambda: _by_converter(generator, calibration, 8),
        "TensorFlow's converter, activations of 16 bits": lambda: _by_converter(generator, calibration, 16),
        "TensorFlow's converter, ranges found as it runs": lambda: _by_converter(generator, (), 8),
        "ranges found as it runs (the file dynamic)": lambda: tflite.quantize(plain, recipe.dynamic_wi8_afp32()),
        "all in int8": lambda: tflite.quantize(plain, _everything_in_int8(), calibration),
        "norms in float": lambda: tflite.quantize(plain, in_integers(), calibration),
        "norms in float, activations of 16 bits": lambda: tflite.quantize(plain, in_integers("", 16), calibration),
        "norms and what enlarges in float (as int8_full)": lambda: tflite.quantize(
            plain, in_integers(tflite.FLOAT_CONVOLUTIONS), calibration
        ),
    }
    for words, names in _ALL_BUT.items():
        ways[f"as int8_full, {words} in int8"] = functools.partial(
            tflite.quantize, plain, in_integers(names), calibration
        )
    made = {}
    for way, make in ways.items():
        print(f"making: {way}", flush=True)
        made[way] = make()
    return made


def _everything_in_int8() -> list:
    """But what goes in and comes out, so that it is compared as the others are."""
    from ai_edge_quantizer import qtyping, recipe, recipe_manager

    manager, names = recipe_manager.RecipeManager(), qtyping.TFLOperationName
    manager.add_static_config(".*", names.ALL_SUPPORTED, activation_num_bits=8, weight_num_bits=8)
    for end in (names.INPUT, names.OUTPUT):
        manager.add_quantization_config(".*", end, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()


def _by_converter(generator, calibration: Sequence[np.ndarray], activation_bits: int) -> bytes:
    """TensorFlow's own quantizer; without photos to learn ranges from it finds them as it runs."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    from export.fast_graph import fast_generator

    fast = fast_generator(generator)
    photo = tf.TensorSpec([1, *SIZE_PX, 3], name="photo")
    draw = tf.function(lambda photo: {"cartoon": fast(photo)}).get_concrete_function(photo)
    frozen = convert_variables_to_constants_v2(draw)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if calibration:
        converter.representative_dataset = lambda: ([photo] for photo in calibration)
        bits = {
            8: tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
            16: tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
        }
        converter.target_spec.supported_ops = [bits[activation_bits], tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def _problem(content: bytes, photo: np.ndarray) -> str:
    """Why a file does not run; "" if it does."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    try:
        TFLiteGenerator(content, "file")(photo)
    except RuntimeError as error:  # an operator without a kernel for its types
        return str(error).strip().splitlines()[0]
    return ""


def measure(generator, photos: list[np.ndarray], made: dict[str, bytes], config: Int8Config) -> list[Row]:
    """Compare files with Keras and time them."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator
    from export import parity

    with parity.on_cpu():
        cartoons = [np.asarray(generator(photo)) for photo in photos]
    runs = {way: TFLiteGenerator(content, way, config.threads) for way, content in made.items()}
    found = {way: parity.compare([run(photo) for photo in photos], cartoons) for way, run in runs.items()}
    once = take_turns({way: functools.partial(_seconds, run, photos[0]) for way, run in runs.items()}, 1)
    quick = {way: functools.partial(_seconds, run, photos[0]) for way, run in runs.items() if once[way][0] < _SLOW_SECS}
    times = once | take_turns(quick, config.rounds)
    return [
        Row(
            way,
            len(made[way]) / 1e6,
            found[way].psnr_db,
            found[way].median_psnr_db,
            found[way].ssim,
            statistics.median(times[way]),
            statistics.median(map(operator.truediv, times[way], times[FLOAT])),
        )
        for way in made
    ]


def _seconds(run: Callable[[np.ndarray], np.ndarray], photo: np.ndarray) -> float:
    start = time.perf_counter()
    run(photo)
    return time.perf_counter() - start


def _table(rows: list[Row]) -> list[str]:
    return [
        "| way | MB | PSNR dB, least | median | SSIM, least | median s | x float32 |",
        "| --- | --: | --: | --: | --: | --: | --: |",
        *(
            f"| {row.way} | {row.megabytes:.1f} | {row.psnr_db:.1f} | {row.median_psnr_db:.1f} | {row.ssim:.3f} | "
            f"{row.seconds:.3f} | {row.ratio:.2f} |"
            for row in rows
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
