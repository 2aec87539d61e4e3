import itertools
import shutil

import numpy as np
import pytest

from cartoongan_tf.errors import InputError
from data_pipeline import dataset, records
from data_pipeline.edge_smoothing import smooth_edges


@pytest.fixture(scope="module")
def opened(data_dir):
    return records.open_records(data_dir)


def _batches(opened, count, **kwargs):
    arguments = {"batch_size": 2, "seed": 5} | kwargs
    batches = itertools.islice(dataset.build_dataset(opened, **arguments), count)
    return [{name: images.numpy() for name, images in batch.items()} for batch in batches]


def _upright(image, originals):
    """Which original an example is, whatever its flip."""
    matches = [i for i, o in enumerate(originals) if (image == o).all() or (image == o[:, ::-1]).all()]
    assert len(matches) == 1
    return matches[0]


def test_batches_have_their_shapes(opened):
    (batch,) = _batches(opened, 1, batch_size=3)
    assert set(batch) == {"photo", "cartoon", "smoothed"}
    for images in batch.values():
        assert images.shape == (3, 32, 32, 3) and images.dtype == np.uint8


def test_any_batch_is_had_without_those_before_it(opened):
    straight = _batches(opened, 9)
    for first in (1, 4, 8):
        resumed = _batches(opened, 9 - first, first_batch=first)
        for ours, theirs in zip(resumed, straight[first:], strict=True):
            for name in ours:
                np.testing.assert_array_equal(ours[name], theirs[name])


def test_every_pass_holds_every_photo_once_in_another_order(opened):
    originals = [records.parse_photo(opened.photos.read(i), 32).numpy() for i in range(7)]
    batches = _batches(opened, 21, batch_size=1)
    order = [_upright(batch["photo"][0], originals) for batch in batches]
    passes = [order[:7], order[7:14], order[14:]]
    assert all(sorted(one) == list(range(7)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_flips_happen_and_a_smoothed_cartoon_has_its_cartoons(opened):
    batches = _batches(opened, 20)
    for batch in batches:
        for cartoon, smoothed in zip(batch["cartoon"], batch["smoothed"], strict=True):
            mirrored = smooth_edges(cartoon[:, ::-1])[:, ::-1]  # Canny is not exactly symmetric
            assert (smooth_edges(cartoon) == smoothed).all() or (mirrored == smoothed).all()
    originals = [records.parse_photo(opened.photos.read(i), 32).numpy() for i in range(7)]
    photos = [photo for batch in batches for photo in batch["photo"]]
    upright = sum(any((photo == original).all() for original in originals) for photo in photos)
    assert 8 < upright < 32  # of 40


def test_photos_and_cartoons_are_not_paired(opened):
    cartoons = [records.parse_cartoon(opened.cartoons.read(i), 32)[0].numpy() for i in range(5)]
    photos = [records.parse_photo(opened.photos.read(i), 32).numpy() for i in range(7)]
    pairs = {
        (_upright(batch["photo"][0], photos), _upright(batch["cartoon"][0], cartoons))
        for batch in _batches(opened, 35, batch_size=1)
    }
    assert len(pairs) > 12


def test_another_seed_is_another_order(opened):
    assert any(
        (a["photo"] != b["photo"]).any() for a, b in zip(_batches(opened, 4), _batches(opened, 4, seed=6), strict=True)
    )


def test_samples_are_spread_over_the_set(opened):
    photos = dataset.read_photos(opened, 3)
    expected = [records.parse_photo(opened.photos.read(i), 32).numpy() for i in (0, 3, 6)]
    np.testing.assert_array_equal(photos, expected)
    assert len(dataset.read_photos(opened, 100)) == 7


def test_missing_data_is_answered_by_the_command_that_builds_it(tmp_path):
    with pytest.raises(InputError, match=r"python -m data_pipeline\.build_tfrecords .*--output_dir=.*here"):
        records.open_records(tmp_path / "here")


@pytest.mark.parametrize(
    "damage, message",
    [
        (
            lambda folder: (folder / "photos-00000.tfrecord").unlink(),
            r"photos-00000\.tfrecord: the shard is missing",
        ),
        (
            lambda folder: _cut(folder / "cartoons-00000.tfrecord"),
            r"cartoons-00000\.tfrecord: cut short .* record 4",
        ),
        (lambda folder: (folder / "dataset.json").write_text("{"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "dataset.json").write_text("{}"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "dataset.json").write_bytes(b"\xff{"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "photos-00000.tfrecord").write_bytes(b""), r"damaged"),
        (lambda folder: (folder / "photos-00000.tfrecord").write_bytes(b"\xff" * 64), r"photos-00000\.tfrecord: cut"),
    ],
)
def test_damaged_data_is_named(data_dir, tmp_path, damage, message):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    damage(folder)
    with pytest.raises(InputError, match=message):
        records.open_records(folder)


def _cut(path):
    path.write_bytes(path.read_bytes()[:-100])
