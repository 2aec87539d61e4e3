"""The signature of TFLite files for films, in the interpreter that phones use."""

import functools
import re

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from cartoongan_tf.inference.tflite_model import TFLiteGenerator
from cartoongan_tf.models import layer_graph
from export import tflite, tflite_file, tflite_graphs
from tests.helpers import REPOSITORY


def _photo(seed, height, width):
    return np.random.default_rng(seed).uniform(-1, 1, (1, height, width, 3)).astype(np.float32)


@pytest.mark.parametrize("kind, tolerance", [("fp32", 1e-4), ("fp16", 2e-2)])
def test_films_are_drawn_as_keras_draws_them(generator, converted, kind, tolerance):
    """Statistics are averaged from frame to frame, and pictures between frames change nothing."""
    run = TFLiteGenerator(converted("paper", kind), kind)
    nodes = layer_graph.layer_graph(generator)
    clip = np.concatenate([_photo(seed, 32, 48) for seed in range(3)])
    keep = np.array([0, 0.9, 0.5], np.float32)
    average = functools.partial(layer_graph.average_frames, layer_graph.averaging_matrix(keep))
    expected, used = layer_graph.run_on_film(nodes, clip, layer_graph.no_statistics(nodes), average)
    statistics = run.no_statistics
    for number, frame in enumerate(clip):
        cartoon, statistics = run.draw_frame(frame[np.newaxis], statistics, keep[number])
        np.testing.assert_allclose(cartoon[0], expected[number], atol=tolerance)
        np.testing.assert_allclose(statistics[0], used[number], atol=tolerance, rtol=tolerance)
        run(_photo(9, 16, 12))
    assert np.abs(run(clip[1:2]) - expected[1:2]).max() > 0.05  # the average matters here


def test_the_graph_for_pictures_is_what_the_converter_would_make(generator, converted):
    alone = tflite.convert_graph(tflite_graphs.build_picture_graph(generator))
    assert tflite_file.operators(converted("paper", "fp32")) == tflite_file.operators(alone)
    photo = _photo(0, 24, 40)
    np.testing.assert_allclose(
        TFLiteGenerator(converted("paper", "fp32"), "")(photo), TFLiteGenerator(alone, "")(photo), atol=1e-6
    )


def test_the_docs_show_how_to_draw_frames(converted):
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (REPOSITORY / "docs/on_device.md").read_text(), re.MULTILINE | re.DOTALL
    )
    run = TFLiteGenerator(converted("paper", "fp32"), "fp32")
    frame = _photo(0, *tflite.FIRST_SIZE_PX)
    cartoon, statistics = run.draw_frame(frame, run.no_statistics, 0.0)
    scope = {
        "interpreter": Interpreter(model_content=converted("paper", "fp32")),
        "frame": frame,
        "statistics": statistics,
        "np": np,
    }
    exec(code, scope)
    np.testing.assert_allclose(scope["result"]["cartoon"], cartoon, atol=1e-4)
