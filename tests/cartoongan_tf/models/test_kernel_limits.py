"""Which pictures are drawn in one piece, by processor and size. No test provokes the kernels themselves."""

import numpy as np
import pytest

from cartoongan_tf import Cartoonizer, styles
from cartoongan_tf.base import machine, memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.band_plan import BandPlan
from cartoongan_tf.inference.keras_runtime import KerasRuntime
from cartoongan_tf.inference.runtimes import load_runtime
from cartoongan_tf.models import kernel_limits
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.layer_graph import layer_graph
from tests.helpers import draw

PHONES_PX = [(3024, 4032), (4000, 6000), (6144, 8160), (9000, 12000)]  # 12, 24, 50 and 108 megapixels


@pytest.fixture
def processor(monkeypatch):
    """Return a function that sets the properties of this processor."""

    def set_processor(avx512, num_threads, onednn=True):
        monkeypatch.setattr(machine, "has_avx512", lambda: avx512)
        monkeypatch.setattr(machine, "uses_onednn", lambda: onednn)
        monkeypatch.setattr(machine, "num_threads", lambda: num_threads)

    return set_processor


@pytest.mark.parametrize(
    "avx512, num_threads, on_gpu, values",
    [
        (True, 2, False, 2**30),
        (True, 64, False, 2**30),
        (False, 64, True, 2**30),
        (False, 2, False, 2**26),
        (False, 16, False, 2**23),
    ],
)
def test_what_an_operation_may_take(processor, avx512, num_threads, on_gpu, values):
    processor(avx512, num_threads)
    assert kernel_limits.most_values(on_gpu) == kernel_limits.most_values_before_bands(on_gpu) == values
    processor(avx512, num_threads, onednn=False)
    assert kernel_limits.most_values(on_gpu) == 2**30
    assert kernel_limits.most_values_before_bands(on_gpu) == values


@pytest.mark.parametrize("avx512, num_threads", [(True, 2), (False, 2), (False, 16)])
@pytest.mark.parametrize("height, width", PHONES_PX)
def test_bands_keep_every_tensor_of_a_phone_s_photo_below_the_limit(processor, avx512, num_threads, height, width):
    processor(avx512, num_threads)
    nodes = layer_graph(load_generator(styles.find_model(styles.DEFAULT)))
    plan = BandPlan.for_size(nodes, height, width)
    for step in [*plan.steps(), plan.cartoon]:
        rows = plan.num_rows(step, stored=())
        assert rows >= 1 and rows * plan.widest_row_bytes(step, stored=()) <= 4 * kernel_limits.most_values()


@pytest.mark.parametrize("num_threads, whole", [(1, True), (2, False), (16, False)])
def test_a_phone_s_photo_is_drawn_in_bands_where_a_kernel_would_give_up(monkeypatch, processor, num_threads, whole):
    """Two megapixels of the bundled style on processors without AVX-512, and 12 of them with it."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 64 * 10**9)
    cartoonizer = Cartoonizer(KerasRuntime.load(styles.find_model(styles.DEFAULT)))
    processor(False, num_threads)
    assert cartoonizer.plan(1500, 2000).in_bands != whole
    for height, width in PHONES_PX:
        processor(True, num_threads)
        assert cartoonizer.plan(height, width).in_bands != (height * width * 32 <= 2**30)
        processor(False, num_threads)
        assert cartoonizer.plan(height, width).in_bands


def test_a_batch_is_split_below_the_limit(monkeypatch, processor, generator_path):
    monkeypatch.setattr(memory, "available_bytes", lambda: 64 * 10**9)
    processor(False, 16)
    cartoonizer = Cartoonizer.load(generator_path)  # its widest tensor has 4 values a pixel
    assert 2**23 // (5 * 512 * 512) <= cartoonizer.plan(512, 512).batch_size <= 2**23 // (4 * 512 * 512)


def test_a_whole_picture_past_the_limit_is_refused_with_the_size_that_fits(monkeypatch, generator_path):
    cartoonizer, photo = Cartoonizer.load(generator_path, "whole"), draw(0, 60, 80)
    monkeypatch.setattr(kernel_limits, "most_values", lambda on_gpu=False: 4 * 40 * 30)
    with pytest.raises(InputError, match=r"80 x 60 pixels .*--method=whole, or give --long_side=\d+"):
        cartoonizer(photo)


def test_past_the_limit_the_bands_draw_what_the_whole_would_be(monkeypatch, generator_path):
    photo = draw(0, 60, 80)
    whole = Cartoonizer.load(generator_path, "whole")(photo)
    runtime = load_runtime(generator_path)
    cartoonizer = Cartoonizer(runtime)
    monkeypatch.setattr(kernel_limits, "most_values_before_bands", lambda on_gpu=False: 4 * 80 * 20)
    monkeypatch.setattr(runtime, "draw", lambda photos: pytest.fail("drawn in one piece"))
    monkeypatch.setattr(runtime, "draw_film", lambda *_: pytest.fail("drawn in one piece"))
    assert np.abs(cartoonizer(photo).astype(int) - whole).max() <= 1
    frames = np.stack([photo] * 2)
    assert np.abs(cartoonizer.film()(frames).astype(int) - whole).max() <= 1


def test_processors_are_told_apart_by_what_linux_says_of_them(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_CPU_INFO", info)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    entry = "processor\t: 0\nmodel name\t: A Processor\nflags\t\t: fpu {}\n\nprocessor\t: 1\nmodel name\t: Another\n"
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    for flags, avx512, onednn, bfloat16 in [
        ("avx2", False, False, False),
        ("avx2 avx_vnni", False, True, False),
        ("avx2 avx512f", True, False, False),
        ("avx512f avx512_bf16", True, True, True),
        ("avx512f amx_bf16", True, True, True),
    ]:
        info.write_text(entry.format(flags))
        assert (machine.has_avx512(), machine.uses_onednn(), machine.has_bfloat16()) == (avx512, onednn, bfloat16)
    for told, onednn in (("0", False), ("false", False), ("1", True)):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", told)
        assert machine.uses_onednn() == machine.has_bfloat16() == onednn
    assert machine.cpu_model() == "A Processor"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert not machine.has_avx512() and not machine.has_bfloat16()
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    info.unlink()
    assert not machine.has_avx512() and machine.cpu_model()
