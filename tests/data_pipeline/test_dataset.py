import itertools

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline import dataset, records
from data_pipeline.edge_smoothing import smooth_edges

NUM_PHOTOS = 7
NUM_CARTOONS = 5


@pytest.fixture(scope="module")
def opened(data_dir):
    return records.open_records(data_dir)


@pytest.fixture(scope="module")
def photos(opened):
    """All photos in the records."""
    return [records.parse_photo(opened.photos.read(i), 32).numpy() for i in range(NUM_PHOTOS)]


@pytest.fixture(scope="module")
def cartoons(opened):
    """All cartoons in the records, with their smoothed copies."""
    pairs = [records.parse_cartoon(opened.cartoons.read(i), 32) for i in range(NUM_CARTOONS)]
    return [(cartoon.numpy(), smoothed.numpy()) for cartoon, smoothed in pairs]


@pytest.fixture(scope="module")
def straight(opened):
    """The first 20 batches of 2 for seed 5."""
    return _batches(opened, 20)


@pytest.fixture(scope="module")
def cropped(opened):
    """The first 20 batches of 2 for seed 5, with crops."""
    return _batches(opened, 20, crop_size=24)


def _batches(opened, count, **kwargs):
    arguments = {"batch_size": 2, "seed": 5} | kwargs
    batches = itertools.islice(dataset.build_dataset(opened, **arguments), count)
    return [{name: images.numpy() for name, images in batch.items()} for batch in batches]


def _assert_same(batches, expected):
    for batch, expected_batch in zip(batches, expected, strict=True):
        assert set(batch) == set(expected_batch)
        for name in batch:
            np.testing.assert_array_equal(batch[name], expected_batch[name])


def _upright(image, originals):
    """Which original an example is, whatever its flip."""
    matches = [i for i, o in enumerate(originals) if (image == o).all() or (image == o[:, ::-1]).all()]
    assert len(matches) == 1
    return matches[0]


def _examples(batches, name):
    return [image for batch in batches for image in batch[name]]


def test_batches_have_their_shapes(straight, cropped):
    for batches, size in ((straight, 32), (cropped, 24)):
        assert set(batches[0]) == {"photo", "cartoon", "smoothed"}
        for images in batches[0].values():
            assert images.shape == (2, size, size, 3) and images.dtype == np.uint8


def test_any_batch_is_had_without_those_before_it(opened, straight, cropped):
    _assert_same(_batches(opened, 3, first_batch=1), straight[1:4])
    _assert_same(_batches(opened, 2, first_batch=4, crop_size=24), cropped[4:6])


def test_every_pass_holds_every_photo_once_in_another_order(straight, photos):
    order = [_upright(photo, photos) for photo in _examples(straight, "photo")]
    passes = [order[:7], order[7:14], order[14:21], order[21:28]]
    assert all(sorted(one) == list(range(NUM_PHOTOS)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_flips_happen_and_a_smoothed_cartoon_has_its_cartoons(straight, photos):
    for cartoon, smoothed in zip(_examples(straight, "cartoon"), _examples(straight, "smoothed"), strict=True):
        mirrored = smooth_edges(cartoon[:, ::-1])[:, ::-1]  # Canny is not exactly symmetric
        assert (smooth_edges(cartoon) == smoothed).all() or (mirrored == smoothed).all()
    examples = _examples(straight, "photo")
    num_upright = sum(any((photo == original).all() for original in photos) for photo in examples)
    assert 8 < num_upright < 32  # of 40


def test_photos_and_cartoons_are_not_paired(straight, photos, cartoons):
    originals = [cartoon for cartoon, _ in cartoons]
    pairs = {
        (_upright(photo, photos), _upright(cartoon, originals))
        for photo, cartoon in zip(_examples(straight, "photo"), _examples(straight, "cartoon"), strict=True)
    }
    assert len(pairs) > 12


def test_photos_and_cartoons_are_flipped_independently(straight, photos, cartoons):
    originals = [cartoon for cartoon, _ in cartoons]
    photo_flips = [_is_flipped(photo, photos) for photo in _examples(straight, "photo")]
    cartoon_flips = [_is_flipped(cartoon, originals) for cartoon in _examples(straight, "cartoon")]
    num_equal = sum(one == other for one, other in zip(photo_flips, cartoon_flips, strict=True))
    assert 8 < num_equal < 32  # of 40


def _is_flipped(image, originals):
    return not any((image == original).all() for original in originals)


def _places(crop, original, flipped):
    """Where a crop lies in a picture, or in its mirror image: (top, left) each."""
    original = original[:, ::-1] if flipped else original
    size = len(crop)
    spans = [range(side - size + 1) for side in original.shape[:2]]
    return [(y, x) for y in spans[0] for x in spans[1] if (original[y : y + size, x : x + size] == crop).all()]


def test_crops_lie_anywhere_and_a_smoothed_cartoon_has_its_cartoons(cropped, cartoons):
    seen = []
    for crop, smoothed_crop in zip(_examples(cropped, "cartoon"), _examples(cropped, "smoothed"), strict=True):
        places = {
            (i, flip, place)
            for i, (cartoon, smoothed) in enumerate(cartoons)
            for flip in (False, True)
            for place in set(_places(crop, cartoon, flip)) & set(_places(smoothed_crop, smoothed, flip))
        }
        assert len(places) == 1
        seen += places
    assert {flip for _, flip, _ in seen} == {False, True}
    assert any(top != left for _, flip, (top, left) in seen if not flip)
    for axis in (0, 1):
        assert {place[axis] for _, _, place in seen} >= {0, 8} and len({place[axis] for _, _, place in seen}) > 5


def test_crops_larger_than_the_records_are_refused(opened):
    with pytest.raises(InputError, match=r"--crop_size=48.*32"):
        dataset.build_dataset(opened, 2, 0, crop_size=48)


def test_workers_share_each_batch(opened):
    arguments = {"batch_size": 6, "first_batch": 3}
    whole = _batches(opened, 3, **arguments)
    shares = [_batches(opened, 3, **arguments, num_workers=3, worker=worker) for worker in range(3)]
    assert all(images.shape[0] == 2 for share in shares for batch in share for images in batch.values())
    together = [
        {name: np.concatenate([share[name] for share in shares_of_batch]) for name in shares_of_batch[0]}
        for shares_of_batch in zip(*shares, strict=True)
    ]
    _assert_same(together, whole)
    with pytest.raises(InputError, match=r"--batch_size=4.*3"):
        dataset.build_dataset(opened, 4, 0, num_workers=3)


def test_photos_and_cartoons_have_orders_and_crops_of_their_own():
    """Even where there are as many of one as of the other."""
    orders = [
        [int(dataset.permutation(5, (0, stream, epoch))[0]) for epoch in range(20)]
        for stream in (dataset.PHOTO_STREAM, dataset.CARTOON_STREAM)
    ]
    assert orders[0] != orders[1]
    grid = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1).astype(np.uint8)
    images = tf.constant(np.dstack([grid, grid[..., :1]])[np.newaxis])
    crops = [
        [dataset.variation(seed, 32, 8)(images, tf.constant(position, tf.int64)).numpy()[0] for position in range(20)]
        for seed in (dataset.PHOTO_STREAM, dataset.CARTOON_STREAM)
    ]
    assert sum((one == other).all() for one, other in zip(*crops, strict=True)) < 5


def test_another_seed_is_another_order(opened, straight, photos):
    order = [_upright(photo, photos) for photo in _examples(straight[:4], "photo")]
    other = [_upright(photo, photos) for photo in _examples(_batches(opened, 4, seed=6), "photo")]
    assert order != other


def test_samples_are_spread_over_the_set(opened, photos, cartoons):
    np.testing.assert_array_equal(dataset.read_photos(opened, 3), [photos[i] for i in (0, 3, 6)])
    np.testing.assert_array_equal(dataset.read_cartoons(opened, 2), [cartoons[i][0] for i in (0, 4)])
    assert len(dataset.read_photos(opened, 100)) == NUM_PHOTOS
