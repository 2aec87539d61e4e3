import numpy as np

from cartoongan_tf import Cartoonizer
from cartoongan_tf.base import memory
from cartoongan_tf.inference import band_plan, blending, steady
from cartoongan_tf.inference.runtime import Runtime
from cartoongan_tf.models.generator_file import load_generator
from cartoongan_tf.models.layer_graph import averaging_matrix, layer_graph, no_statistics, run_on_film
from cartoongan_tf.models.pixels import to_float
from tests.helpers import draw


def _clip(num_frames=12, noise=2.0):
    """A still wall with grain, past which a bright picture moves in the lower half."""
    rng = np.random.default_rng(0)
    frames = np.stack([draw(0, 48, 64)] * num_frames).astype(np.float64)
    for index in range(num_frames):
        frames[index, 24:, 5 * index : 5 * index + 20] = draw(3, 24, 20)[:, : max(0, 64 - 5 * index)]
    return (frames + rng.normal(0, noise, frames.shape)).clip(0, 255).round().astype(np.uint8)


def _wall_variance(frames):
    """Frame-to-frame variance of the upper part, in which nothing moves, nor near it."""
    return np.square(np.diff(frames[:, :12].astype(float), axis=0)).mean()


def test_what_stands_still_flickers_less(cartoonizer):
    """Each of the two methods helps, both together most."""
    clip = _clip()

    def variance(keep_statistics, keep_drawing):
        film = cartoonizer.film(keep_statistics, keep_drawing)
        return _wall_variance(np.concatenate([film(part) for part in np.split(clip, 4)]))

    plain = _wall_variance(cartoonizer(clip))
    assert plain > 5
    of_statistics = variance(0.9, 0)
    of_drawing = variance(0, 0.9)
    assert of_statistics < 0.95 * plain
    assert of_drawing < 0.5 * plain
    assert variance(0.9, 0.9) < min(of_statistics, of_drawing)


def test_what_moves_is_drawn_as_it_is(cartoonizer):
    clip = _clip(noise=0)
    film = cartoonizer.film(keep_statistics=0)
    steadied, plain = film(clip)[6], cartoonizer(clip[6])
    moving = (slice(28, 44), slice(34, 46))
    assert np.abs(steadied[moving].astype(int) - plain[moving]).mean() < 1.0


def test_without_steadiness_each_frame_is_drawn_by_itself(cartoonizer):
    clip = _clip(4)
    np.testing.assert_allclose(cartoonizer.film(0, 0)(clip).astype(int), cartoonizer(clip), atol=1)


def test_batches_do_not_matter(cartoonizer):
    clip = _clip(6)
    one_by_one, at_once = cartoonizer.film(), cartoonizer.film()
    singles = np.concatenate([one_by_one(frame[np.newaxis]) for frame in clip])
    np.testing.assert_allclose(singles.astype(int), at_once(clip), atol=1)


def test_a_cut_begins_anew(cartoonizer):
    second = 255 - _clip(3)[..., ::-1]
    film = cartoonizer.film()
    film(_clip(5))
    np.testing.assert_array_equal(film(second), cartoonizer.film()(second))


def test_the_halo_of_what_moves_moves_along():
    """A square with a halo of 4 pixels in the drawing, which the film does not show."""
    regions = steady.StillRegions(0.9)
    for step in range(6):
        film = np.full((40, 120, 3), 100, np.uint8)
        drawing = film.copy()
        left = 10 + 20 * step
        film[15:25, left : left + 10] = 250
        drawing[11:29, left - 4 : left + 14] = 0
        drawing[15:25, left : left + 10] = 250
        shown = regions.steady(film, drawing, begins=step == 0)
    np.testing.assert_array_equal(shown[:, :80], np.full((40, 80, 3), 100))


def test_slow_changes_are_followed():
    """A fade of one level a frame moves nothing much, but must not stay behind for good."""
    regions = steady.StillRegions(0.9)
    for level in range(60):
        frame = np.full((16, 16, 3), 50 + level, np.uint8)
        shown = regions.steady(frame, frame, begins=level == 0)
    assert abs(int(shown[8, 8, 0]) - 109) <= 6


def test_a_new_size_begins_anew():
    regions = steady.StillRegions()
    for frame in (draw(0, 20, 30), draw(0, 30, 20)):
        assert regions.steady(frame, frame, begins=False).shape == frame.shape


def test_the_averaging_matrix_begins_anew_with_each_shot():
    matrix = averaging_matrix(np.array([0.5, 0.5, 0, 0.5]))
    expected = [[0.5, 0.5, 0, 0, 0], [0.25, 0.25, 0.5, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0.5, 0.5]]
    np.testing.assert_allclose(matrix, expected)
    assert matrix.dtype == np.float32


def test_statistics_of_frames_are_mixed_at_every_norm(generator_path):
    """Frames with weights on themselves alone are drawn as Keras draws them; with weight on another, as it is."""
    generator = load_generator(generator_path)
    nodes = layer_graph(generator)
    photos = np.asarray(to_float(np.stack([draw(0, 32, 32), draw(1, 32, 32)])))
    plain = np.asarray(generator(photos))
    own, used = run_on_film(nodes, photos, no_statistics(nodes), lambda before, own: own)
    np.testing.assert_allclose(np.asarray(own), plain, atol=1e-4)
    kept, _ = run_on_film(nodes, photos[1:], used[1:], lambda before, own: before)
    np.testing.assert_allclose(np.asarray(kept), plain[1:], atol=1e-4)
    first, _ = run_on_film(nodes, photos[:1], used[1:], lambda before, own: before)
    assert np.abs(np.asarray(first) - plain[:1]).mean() > 0.01


def test_large_frames_run_in_bands_with_the_same_statistics(runtime, cartoonizer, monkeypatch):
    clip = np.stack([draw(0, 24, 40)] * 4)
    for index in range(4):
        clip[index, 4:12, 4 + 3 * index : 10 + 3 * index] = (255, 255, 60 * index)  # moves, and is no cut
    whole = cartoonizer.film(keep_drawing=0)(clip)
    by_themselves = cartoonizer(clip)
    assert np.abs(whole.astype(int) - by_themselves).max() > 10  # averaged statistics matter here
    for band_bytes in (2_000, band_plan.BAND_BYTES):
        monkeypatch.setattr(band_plan, "BAND_BYTES", band_bytes)
        bands = Cartoonizer(runtime, "banded").film(keep_drawing=0)(clip)
        np.testing.assert_allclose(bands.astype(int), whole, atol=1, err_msg=str(band_bytes))


def test_batches_are_cut_to_the_available_memory(runtime, cartoonizer, monkeypatch):
    clip = _clip(5)
    expected = cartoonizer.film()(clip)
    monkeypatch.setattr(memory, "available_bytes", lambda: int(2.6 * runtime.bytes_per_pixel * 48 * 64))
    batch_sizes = []
    run_on_film = runtime.draw_film

    def counted(frames, *more):
        batch_sizes.append(len(frames))
        return run_on_film(frames, *more)

    monkeypatch.setattr(runtime, "draw_film", counted)
    np.testing.assert_allclose(cartoonizer.film()(clip).astype(int), expected, atol=1)
    assert batch_sizes == [2, 2, 1]


def test_thin_frames(cartoonizer):
    for height, width in ((1, 330), (700, 1), (1, 1)):
        clip = np.stack([draw(seed, height, width) for seed in range(2)])
        assert cartoonizer.film()(clip).shape == clip.shape


def test_strength_and_colours_apply_to_the_steadied_cartoon(cartoonizer):
    clip = _clip(3)
    film = cartoonizer.film(strength=0.5, keep_colors=True)
    mixed = np.concatenate([film(clip[:2]), film(clip[2:])])
    expected = blending.blend_with_photo(clip, cartoonizer.film()(clip), 0.5, with_photo_colors=True)
    np.testing.assert_allclose(mixed.astype(int), expected, atol=1)


def test_a_runtime_without_layers_keeps_still_regions_too(cartoonizer):
    """Like a SavedModel, it runs each frame by itself."""

    class Layerless(Runtime):
        name = "a SavedModel"
        values_per_pixel = 4

        def draw(self, image):
            return cartoonizer(image)

    clip = _clip(5)
    frames_by_themselves = cartoonizer.film(keep_statistics=0)(clip)
    steadied = Cartoonizer(Layerless()).film()(clip)
    np.testing.assert_allclose(steadied.astype(int), frames_by_themselves, atol=1)
