"""The order of sets again, on real drawings and photos, with VGG19's own weights."""

import itertools

import numpy as np
import pytest

from cartoongan_tf.evaluation import crops, distances
from cartoongan_tf.evaluation.distances import Sample
from cartoongan_tf.media import image_measures, picture_set
from cartoongan_tf.models import pixels, vgg19
from data_pipeline.edge_smoothing import smooth_edges

NUM_PICTURES = 30
NUM_CROPS = 80
CROP_PX = 96
ONCE = np.ones((1, NUM_PICTURES))


@pytest.fixture(scope="module")
def sets(assets):
    """Crops, from the nearest to the first half of the drawings to the farthest."""
    cartoons = picture_set.read_pictures(assets / "cartoons", 512, CROP_PX, 2 * NUM_PICTURES).pixels
    photos = picture_set.read_pictures(assets / "photos", 512, CROP_PX, NUM_PICTURES).pixels
    rng = np.random.default_rng(0)
    pictures = {
        "cartoons": cartoons[::2],
        "other cartoons": cartoons[1::2],
        "smoothed": [smooth_edges(cartoon) for cartoon in cartoons[1::2]],
        "photos": photos,
        "noise": [rng.integers(0, 256, photo.shape, np.uint8) for photo in photos],
    }
    return {name: _cut(images) for name, images in pictures.items()}


def _cut(images):
    boxes = crops.choose_boxes([image.shape[:2] for image in images], NUM_CROPS, CROP_PX, 0)
    return crops.cut(images, boxes, CROP_PX)


def _are_in_order(values):
    return all(nearer < farther for nearer, farther in itertools.pairwise(values))


@pytest.mark.slow
def test_distances_know_the_order(sets, assets):
    extractor = vgg19.build_style_features(str(assets / "vgg19" / "vgg19_notop.h5"), "block1_conv2")
    samples = {}
    for name, (squares, owners) in sets.items():
        batches = [extractor(pixels.to_float(batch))[0] for batch in np.array_split(squares, 8)]
        samples[name] = Sample(np.concatenate(batches).astype(np.float64), owners)
    scale = distances.scaler([samples["cartoons"], samples["photos"]])
    scaled = {name: scale(sample) for name, sample in samples.items()}
    for distance in (distances.kernel_distance, distances.frechet_distance):
        values = {}
        for name in ("other cartoons", "smoothed", "photos", "noise"):
            values[name] = distance(scaled["cartoons"], scaled[name], ONCE, ONCE)[0]
        assert _are_in_order(values.values()), (distance, values)


def test_colours_know_the_order(sets):
    samples = {}
    for name, (squares, owners) in sets.items():
        features = [image_measures.color_features(square) for square in squares]
        samples[name] = Sample(np.stack(features), owners)
    values = {}
    for name in ("other cartoons", "photos", "noise"):
        values[name] = distances.frechet_distance(samples["cartoons"], samples[name], ONCE, ONCE)[0]
    assert _are_in_order(values.values()), values


def test_edges_and_regions_know_the_order(sets):
    density = _means(image_measures.edge_density, sets)
    sharpness = _means(image_measures.edge_sharpness, sets)
    flatness = _means(image_measures.flatness, sets)
    assert sharpness["smoothed"] < sharpness["other cartoons"] - 0.02 and sharpness["noise"] > sharpness["cartoons"]
    assert sharpness["cartoons"] == pytest.approx(sharpness["other cartoons"], abs=0.03)
    assert density["smoothed"] < density["other cartoons"] < 0.5 * density["noise"]
    assert density["cartoons"] == pytest.approx(density["other cartoons"], rel=0.3)
    assert flatness["noise"] == 0 < flatness["cartoons"] == pytest.approx(flatness["other cartoons"], abs=0.05)


def _means(measure, sets):
    means = {}
    for name, (squares, _) in sets.items():
        means[name] = np.nanmean([measure(square) for square in squares])
    return means


def test_content_kept_of_a_photo_knows_the_order(sets):
    photos = sets["photos"].pixels
    noise = sets["noise"].pixels
    mixtures = [((1 - share) * photos + share * noise).astype(np.uint8)[:40] for share in (0.0, 0.2, 0.5)]
    other_photos = photos[-40:]
    for measure, sign in ((image_measures.luminance_similarity, -1), (image_measures.color_shift, 1)):
        values = []
        for pictures in (*mixtures, other_photos):
            pairs = zip(pictures, photos[:40], strict=True)
            values.append(sign * np.mean([measure(picture, photo) for picture, photo in pairs]))
        assert _are_in_order(values[:3]) and values[3] > values[1], (measure, values)
