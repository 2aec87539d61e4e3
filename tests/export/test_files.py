"""The choice among .tflite files, with a converter whose files differ from the reference by known amounts."""

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.tflite_model import PICTURE
from export import files, tflite, tflite_file
from export.config import ExportConfig
from export.reference import Reference
from tests.helpers import draw

CHOICES = list(tflite.choices("int8"))


@pytest.fixture
def make(brightening):
    """Make an int8 file whose values differ from the reference by offsets[kept_float]; returns it with the calls."""

    def make(offsets):
        kept_float_of_calls = []

        def convert(precision, metadata, size, calibration, kept_float):
            assert (precision, metadata.name, metadata.author, size) == ("int8", "demo-int8", "Ana", None)
            kept_float_of_calls.append(kept_float)
            return brightening(offsets[kept_float])

        reference = Reference(lambda photo: photo, [draw(seed, 20, 28) for seed in range(2)])
        config = ExportConfig(output_dir="unused", model="a.keras", name="demo", author="Ana")
        return files.make_tflite_file(convert, reference, config, "int8"), kept_float_of_calls

    return make


def _offset(psnr_db):
    """The offset that has a PSNR, for values in [-1, 1]."""
    return 2 / 10 ** (psnr_db / 20)


def test_the_first_choice_within_the_budget_is_taken(make, brightening):
    budget = tflite.BUDGETS_DB["int8"]
    for num_too_low in range(len(CHOICES)):
        scores = [budget - 1] * num_too_low + [budget + 1] * (len(CHOICES) - num_too_low)
        offsets = dict(zip(CHOICES, map(_offset, scores), strict=True))
        file, calls = make(offsets)
        assert calls == CHOICES[: num_too_low + 1]
        assert file.entry.stays_float == tflite.choices("int8")[calls[-1]]
        assert file.entry.parity.psnr_db == pytest.approx(budget + 1, abs=0.1) and not file.entry.is_below_budget
        assert file.content == brightening(offsets[calls[-1]]) and file.entry.num_bytes == len(file.content)
        assert file.entry.path == "tflite/demo-int8.tflite" and file.entry.operators == {"ADD": 1}


def test_without_a_choice_within_the_budget_the_last_one_is_taken(make):
    file, calls = make(dict.fromkeys(CHOICES, _offset(20)))
    assert calls == CHOICES and file.entry.is_below_budget


def test_each_precision_has_its_budget(brightening):
    reference = Reference(lambda photo: photo, [draw(0, 20, 28)])
    config = ExportConfig(output_dir="unused", model="a.keras", name="demo")
    for precision, budget in tflite.BUDGETS_DB.items():
        entry = files.make_tflite_file(lambda *_: brightening(0.0), reference, config, precision).entry
        assert (entry.format, entry.budget_db) == (precision, budget)
        assert entry.parity.psnr_db == np.inf and not entry.is_below_budget


def test_operators_that_phones_do_not_have_are_refused():
    def convert(*_):
        photo = tf.TensorSpec([1, 8, 8, 3], tf.float32)
        function = tf.function(lambda photo: tf.raw_ops.Atan(x=photo)).get_concrete_function(photo)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
        return tflite_file.with_signature(converter.convert(), PICTURE)

    reference = Reference(lambda photo: photo, [draw(0, 20, 28)])
    config = ExportConfig(output_dir="unused", model="a.keras", name="demo")
    with pytest.raises(InputError, match=r"tflite/demo-fp32\.tflite.*CUSTOM:FlexAtan"):
        files.make_tflite_file(convert, reference, config, "fp32")


@pytest.mark.slow
def test_one_photo_is_enough_for_a_fixed_file_with_the_weights_of_another(generators, converted):
    reference = Reference(generators["narrow"], [draw(seed, 20, 28) for seed in range(3)])
    config = ExportConfig(output_dir="unused", model="a.keras", name="demo")
    for precision, num_photos in (("fp16", 1), ("int8", 3)):
        twin = files.make_tflite_file(lambda *_, p=precision: converted("narrow", p), reference, config, precision)
        assert twin.entry.parity.num_photos == 3
        fixed = converted("narrow", "fp16", (16, 16))
        file = files.make_tflite_file(lambda *_, f=fixed: f, reference, config, "fp16", (16, 16), (), twin)
        assert file.entry.parity.num_photos == num_photos
        assert (twin.entry.path in file.entry.proof) == (num_photos == 1)


def test_all_photos_are_brought_to_the_size_of_a_fixed_file(brightening):
    sizes = []

    def convert(_precision, metadata, size, *_):
        assert metadata.name == "demo-fp16-16x8"
        sizes.append(size)
        return brightening(0.0)

    shapes = []

    def generator(photo):
        shapes.append(photo.shape)
        return photo

    reference = Reference(generator, [draw(0, 20, 28), draw(1, 30, 18)])
    config = ExportConfig(output_dir="unused", model="a.keras", name="demo")
    entry = files.make_tflite_file(convert, reference, config, "fp16", (16, 8)).entry
    assert entry.path == "tflite/demo-fp16-16x8.tflite" and "[1, 16, 8, 3]" in entry.takes
    assert sizes == [(16, 8)] and shapes == [(1, 16, 8, 3)] * 2
    reference.compare(lambda photo: photo, (16, 8))
    assert len(shapes) == 2  # Keras runs once for each size
    reference.compare(lambda photo: photo)
    assert shapes[2:] == [(1, 20, 28, 3), (1, 28, 16, 3)]
