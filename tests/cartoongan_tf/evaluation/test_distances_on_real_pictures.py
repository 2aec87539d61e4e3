"""The known answers again, on real drawings and photos, with VGG19's own weights."""

import itertools

import numpy as np
import pytest

from cartoongan_tf.evaluation import crops, distances
from cartoongan_tf.evaluation.distances import Sample
from cartoongan_tf.media import image_measures, picture_set
from cartoongan_tf.models import pixels, vgg19
from data_pipeline.edge_smoothing import smooth_edges

NUM_PICTURES, NUM_CROPS, CROP_PX = 30, 240, 96


@pytest.fixture(scope="module")
def sets(assets):
    """Crops, from what is nearest to the first half of the drawings to what is farthest."""
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


def _in_order(values):
    return all(nearer < farther for nearer, farther in itertools.pairwise(values))


@pytest.mark.slow
def test_distances_know_the_order(sets, assets):
    extractor = vgg19.build_style_features(str(assets / "vgg19" / "vgg19_notop.h5"), "block1_conv2")
    samples = {}
    for name, (squares, owners) in sets.items():
        batches = [extractor(pixels.to_float(batch))[0] for batch in np.array_split(squares, 8)]
        samples[name] = Sample(np.concatenate(batches).astype(np.float64), owners)
    scale = distances.scaler([samples["cartoons"], samples["photos"]])
    names, once = ("other cartoons", "smoothed", "photos", "noise"), np.ones((1, NUM_PICTURES))
    for distance in (distances.kernel_distance, distances.frechet_distance):
        found = [distance(scale(samples["cartoons"]), scale(samples[name]), once, once)[0] for name in names]
        print(distance.__name__, dict(zip(names, found, strict=True)))
        assert _in_order(found)


def test_colours_know_the_order(sets):
    once = np.ones((1, NUM_PICTURES))
    samples = {
        name: Sample(np.stack([image_measures.color_features(square) for square in squares]), owners)
        for name, (squares, owners) in sets.items()
    }
    found = [
        distances.frechet_distance(samples["cartoons"], samples[name], once, once)[0]
        for name in ("other cartoons", "photos", "noise")
    ]
    assert _in_order(found), found


def test_edges_and_regions_know_the_order(sets):
    means = {
        measure: {name: np.nanmean([measure(square) for square in squares]) for name, (squares, _) in sets.items()}
        for measure in (image_measures.edge_density, image_measures.edge_sharpness, image_measures.flatness)
    }
    print(means)
    sharpness, density, flat = (
        means[m] for m in (image_measures.edge_sharpness, image_measures.edge_density, image_measures.flatness)
    )
    assert sharpness["smoothed"] < sharpness["other cartoons"] - 0.02 and sharpness["noise"] > sharpness["cartoons"]
    assert sharpness["cartoons"] == pytest.approx(sharpness["other cartoons"], abs=0.03)
    assert density["smoothed"] < density["other cartoons"] < 0.5 * density["noise"]
    assert density["cartoons"] == pytest.approx(density["other cartoons"], rel=0.3)
    assert flat["noise"] == 0 < flat["cartoons"] == pytest.approx(flat["other cartoons"], abs=0.05)


def test_what_is_kept_of_a_photo_is_seen(sets):
    photos, noise = (sets[name].pixels for name in ("photos", "noise"))
    mixed = [((1 - share) * photos + share * noise).astype(np.uint8)[:40] for share in (0.0, 0.2, 0.5)]
    for measure, sign in ((image_measures.luminance_similarity, -1), (image_measures.color_shift, 1)):
        pairs = [list(zip(squares, photos[:40], strict=True)) for squares in (*mixed, photos[-40:])]
        found = [sign * np.mean([measure(*pair) for pair in of_share]) for of_share in pairs]
        assert _in_order(found[:3]) and found[3] > found[1], found  # the last are other photos
