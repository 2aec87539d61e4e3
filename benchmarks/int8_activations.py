"""Methods of quantizing activations to int8: agreement with Keras, and speed, in one run.

    python -m benchmarks.int8_activations --model=hayao.keras --calibration_dir=photos --output=int8.md

All files take 256 x 256 pixels and are made from the same float file. PSNR is against Keras, on photos that were not
used for calibration. The files take turns to be timed; those that take more than 5 s are timed once.
"""

import dataclasses
import functools
import operator
import statistics
import sys
from collections.abc import Callable, Sequence

import numpy as np

from cartoongan_tf.base import program
from cartoongan_tf.base.options import Config, option
from cartoongan_tf.base.timing import seconds_of, take_turns, write_report

SIZE_PX = (256, 256)
FLOAT = "float32"
KERNELS = "kernels alone in int8 (the file int8)"
PACKAGES = ("tensorflow", "ai-edge-litert", "ai-edge-quantizer")
_SLOW_SECS = 5.0
# Convolutions of the paper's network that stay in float, by their names; one of those that enlarge is quantized.
_ALL_BUT = {
    "and the last of them": r".*(up1|up2_conv1).*",
    "and the second to last": r".*(up1|up2_conv2).*",
    "and the third to last": r".*(up2|up1_conv1).*",
    "and the fourth to last": r".*(up2|up1_conv2).*",
}


@dataclasses.dataclass(frozen=True)
class Int8Config(Config):
    model: str = option("The generator: a .keras file.")
    calibration_dir: str = option("A folder of photos for calibration.")
    photos_dir: str = option("A folder of other photos to compare on, instead of the four bundled ones.", "")
    threads: int = option("Number of threads.", 2, at_least=1)
    rounds: int = option("Number of times that each file is timed.", 5, at_least=1)
    output: str = option("A Markdown file to write the table to.", "")


@dataclasses.dataclass(frozen=True)
class Row:
    """The measurements of one method; see `export.parity`.

    Attributes:
      method: name of the method.
      megabytes: size of its file.
      psnr_db, median_psnr_db, ssim: agreement with Keras.
      seconds: median time.
      ratio: median time relative to float32.
    """

    method: str
    megabytes: float
    psnr_db: float
    median_psnr_db: float
    ssim: float
    seconds: float
    ratio: float


def main(argv=None) -> int:
    return program.run(Int8Config, _benchmark, __doc__, argv)


def _benchmark(config: Int8Config, _) -> None:
    program.start_tensorflow()
    from cartoongan_tf.models.generator_file import load_generator
    from export import parity, tflite

    generator = load_generator(config.model)
    long_side = 2 * max(SIZE_PX)
    photos = parity.read_photos(config.photos_dir or parity.OWN_PHOTOS, long_side=long_side)
    photos = [parity.fitting(photo, SIZE_PX) for photo in photos]
    calibration = parity.read_photos(config.calibration_dir, tflite.NUM_CALIBRATION_PHOTOS, long_side)
    calibration = [parity.fitting(photo, SIZE_PX) for photo in calibration]
    working = {}
    failures = []
    for method, content in files(generator, calibration).items():
        if problem := _problem(content, photos[0]):
            failures.append(f"\nDoes not run: {method} ({problem})")
        else:
            working[method] = content
    lines = [*_table(measure(generator, photos, working, config)), *failures]
    write_report("benchmarks.int8_activations", config, PACKAGES, lines, config.output)


def files(generator, calibration: Sequence[np.ndarray]) -> dict[str, bytes]:
    """Return the contents of each method's .tflite file."""
    from ai_edge_quantizer import recipe

    from export import tflite
    from export.tflite_graphs import build_picture_graph

    graph = build_picture_graph(generator, SIZE_PX)
    plain = tflite.convert_graph(graph)
    inputs = {graph.signature: [graph.first_frame(photo) for photo in calibration]}

    def calibrated(quantization_recipe):
        return functools.partial(tflite.quantize, plain, quantization_recipe, inputs)

    in_integers = tflite.integer_convolutions
    makers: dict[str, Callable[[], bytes]] = {
        FLOAT: lambda: plain,
        KERNELS: lambda: tflite.quantize(plain, recipe.weight_only_wi8_afp32()),
        "TensorFlow's converter, all in int8": lambda: _by_converter(generator, calibration, 8),
        "TensorFlow's converter, activations of 16 bits": lambda: _by_converter(generator, calibration, 16),
        "TensorFlow's converter, ranges found as it runs": lambda: _by_converter(generator, (), 8),
        "ranges found as it runs (the file dynamic)": lambda: tflite.quantize(plain, recipe.dynamic_wi8_afp32()),
        "all in int8": calibrated(_everything_in_int8()),
        "norms in float": calibrated(in_integers()),
        "norms in float, activations of 16 bits": calibrated(in_integers("", 16)),
        "norms and what enlarges in float (as int8_full)": calibrated(in_integers(tflite.FLOAT_CONVOLUTIONS)),
    }
    for words, names in _ALL_BUT.items():
        makers[f"as int8_full, {words} in int8"] = calibrated(in_integers(names))
    contents = {}
    for method, make in makers.items():
        print(f"making: {method}", flush=True)
        contents[method] = make()
    return contents


def _everything_in_int8() -> list:
    """Return a recipe for all but input and output, so that it is compared in the same way as the others."""
    from ai_edge_quantizer import qtyping, recipe, recipe_manager

    manager = recipe_manager.RecipeManager()
    names = qtyping.TFLOperationName
    manager.add_static_config(".*", names.ALL_SUPPORTED, activation_num_bits=8, weight_num_bits=8)
    for end in (names.INPUT, names.OUTPUT):
        manager.add_quantization_config(".*", end, algorithm_key=recipe.AlgorithmName.NO_QUANTIZE)
    return manager.get_quantization_recipe()


def _by_converter(generator, calibration: Sequence[np.ndarray], activation_bits: int) -> bytes:
    """Use TensorFlow's own quantizer; without photos for calibration it finds ranges as it runs."""
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
    """Return the reason that a file does not run; "" if it does."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator

    try:
        TFLiteGenerator(content, "file")(photo)
    except RuntimeError as error:  # an operator without a kernel for its types
        return str(error).strip().splitlines()[0]
    return ""


def measure(generator, photos: list[np.ndarray], contents: dict[str, bytes], config: Int8Config) -> list[Row]:
    """Compare files with Keras and time them."""
    from cartoongan_tf.inference.tflite_model import TFLiteGenerator
    from export import parity

    with parity.on_cpu():
        cartoons = [np.asarray(generator(photo)) for photo in photos]
    runs = {method: TFLiteGenerator(content, method, config.threads) for method, content in contents.items()}
    timers = {method: functools.partial(seconds_of, run, photos[0]) for method, run in runs.items()}
    times = take_turns(timers, 1)
    quick = {method: timer for method, timer in timers.items() if times[method][0] < _SLOW_SECS}
    times |= take_turns(quick, config.rounds)
    rows = []
    for method, run in runs.items():
        agreement = parity.compare([run(photo) for photo in photos], cartoons)
        rows.append(
            Row(
                method,
                len(contents[method]) / 1e6,
                agreement.psnr_db,
                agreement.median_psnr_db,
                agreement.ssim,
                statistics.median(times[method]),
                statistics.median(map(operator.truediv, times[method], times[FLOAT])),
            )
        )
    return rows


def _table(rows: list[Row]) -> list[str]:
    lines = ["| method | MB | PSNR dB, least | median | SSIM, least | median s | x float32 |"]
    lines.append("| --- | --: | --: | --: | --: | --: | --: |")
    for row in rows:
        agreement = f"{row.psnr_db:.1f} | {row.median_psnr_db:.1f} | {row.ssim:.3f}"
        lines.append(f"| {row.method} | {row.megabytes:.1f} | {agreement} | {row.seconds:.3f} | {row.ratio:.2f} |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
