import dataclasses
import itertools
import shutil

import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline import dataset, records
from data_pipeline.edge_smoothing import smooth_edges
from tests.helpers import TINY_NETWORKS


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


def _places(crop, original, flipped):
    """Where a crop lies in a picture, or in its mirror image: (top, left) each."""
    original = original[:, ::-1] if flipped else original
    size = len(crop)
    spans = [range(side - size + 1) for side in original.shape[:2]]
    return [(y, x) for y in spans[0] for x in spans[1] if (original[y : y + size, x : x + size] == crop).all()]


def test_crops_lie_anywhere_and_a_smoothed_cartoon_has_its_cartoons(opened):
    pairs = [records.parse_cartoon(opened.cartoons.read(i), 32) for i in range(5)]
    seen = []
    for batch in _batches(opened, 20, crop_size=24):
        for cartoon, smoothed in zip(batch["cartoon"], batch["smoothed"], strict=True):
            assert cartoon.shape == smoothed.shape == (24, 24, 3)
            places = {
                (i, flip, place)
                for i, pair in enumerate(pairs)
                for flip in (False, True)
                for place in set(_places(cartoon, pair[0].numpy(), flip))
                & set(_places(smoothed, pair[1].numpy(), flip))
            }
            assert len(places) == 1
            seen += places
    assert {flip for _, flip, _ in seen} == {False, True}
    for axis in (0, 1):
        assert {place[axis] for _, _, place in seen} >= {0, 8} and len({place[axis] for _, _, place in seen}) > 5


def test_crops_are_those_of_their_position(opened):
    straight = _batches(opened, 6, crop_size=24)
    resumed = _batches(opened, 2, crop_size=24, first_batch=4)
    for ours, theirs in zip(resumed, straight[4:], strict=True):
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_crops_larger_than_the_records_are_refused(opened):
    with pytest.raises(InputError, match=r"--crop_size=48.*32 pixels"):
        dataset.build_dataset(opened, 2, 0, crop_size=48)


@pytest.mark.parametrize("first_batch", [0, 3])
def test_workers_share_each_batch(opened, first_batch):
    whole = _batches(opened, 4, batch_size=6, first_batch=first_batch)
    parts = [
        _batches(opened, 4, batch_size=6, first_batch=first_batch, num_workers=3, worker=worker) for worker in range(3)
    ]
    for number, batch in enumerate(whole):
        for name in batch:
            shared = [worker[number][name] for worker in parts]
            assert [len(part) for part in shared] == [2, 2, 2]
            np.testing.assert_array_equal(np.concatenate(shared), batch[name])
    with pytest.raises(InputError, match=r"--batch_size=4.*3 workers"):
        dataset.build_dataset(opened, 4, 0, num_workers=3)


def test_photos_and_cartoons_have_orders_and_crops_of_their_own(opened):
    """Even where there are as many of one as of the other."""
    same = dataclasses.replace(opened, photos=opened.cartoons)  # a cartoon's PNG is no photo's: so compare the indices
    orders = [
        [int(dataset.permutation(5, (0, stream, epoch))[0]) for epoch in range(20)]
        for stream in (dataset.PHOTO_STREAM, dataset.CARTOON_STREAM)
    ]
    assert orders[0] != orders[1] and len(same.photos) == len(same.cartoons)
    grid = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1).astype(np.uint8)
    images = tf.constant(np.dstack([grid, grid[..., :1]])[np.newaxis])
    crops = [
        [dataset.variation(seed, 32, 8)(images, tf.constant(position, tf.int64)).numpy()[0] for position in range(20)]
        for seed in (dataset.PHOTO_STREAM, dataset.CARTOON_STREAM)
    ]
    assert sum((one == other).all() for one, other in zip(*crops, strict=True)) < 5


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


PHOTOS, CARTOONS = "photos-train-00000.tfrecord", "cartoons-train-00000.tfrecord"


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda folder: (folder / PHOTOS).unlink(), f"{PHOTOS}: the shard is missing"),
        (lambda folder: _change(folder / CARTOONS, lambda data: data[:-100]), f"{CARTOONS}: .*at record 4"),
        (lambda folder: _change(folder / PHOTOS, lambda data: data[:5]), f"{PHOTOS}: .*at record 0"),
        (lambda folder: (folder / PHOTOS).write_bytes(b""), f"{PHOTOS}: .*at record 0"),
        (lambda folder: (folder / PHOTOS).write_bytes(b"\xff" * 64), f"{PHOTOS}: damaged .*at record 0"),
        (lambda folder: (folder / "dataset.json").write_text("{"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "dataset.json").write_text("{}"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "dataset.json").write_text("[]"), r"dataset\.json: damaged"),
        (lambda folder: (folder / "dataset.json").write_bytes(b"\xff{"), r"dataset\.json: damaged"),
    ],
)
def test_damaged_data_is_named(data_dir, tmp_path, damage, message):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    damage(folder)
    with pytest.raises(InputError, match=message):
        records.open_records(folder)


def test_a_shard_that_lacks_records_is_named(data_dir, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    spans = records.record_spans(str(folder / PHOTOS), 7)
    end = spans[4][0] + spans[4][1] + 4
    _change(folder / PHOTOS, lambda data: data[:end])
    with pytest.raises(InputError, match=f"{PHOTOS}: .*at record 5;"):
        records.open_records(folder)
    shutil.copy(data_dir / CARTOONS, folder / PHOTOS)
    with pytest.raises(InputError, match=f"{PHOTOS}: .*at record 5;"):
        records.open_records(folder)


def _change(path, change):
    path.write_bytes(change(path.read_bytes()))


def _flip_a_bit(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_a_damaged_record_is_named_when_it_is_read(data_dir, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    whole = (folder / PHOTOS).read_bytes()
    place = whole.index(b"IDAT", whole.index(b"IDAT") + 1) + 10  # in the second record's pixels
    (folder / PHOTOS).write_bytes(_flip_a_bit(whole, place))
    opened = records.open_records(folder)
    opened.photos.read(0)
    with pytest.raises(InputError, match=f"{PHOTOS}: damaged .*record 1;"):
        opened.photos.read(1)
    opened = records.open_records(folder)
    with pytest.raises(InputError, match=f"{PHOTOS}: damaged .*record 1;"), dataset.explaining_damage(opened):
        _batches(opened, 4)


def test_training_names_a_damaged_record(data_dir, tmp_path, capsys):
    from cartoongan_tf import train

    folder = shutil.copytree(data_dir, tmp_path / "data")
    _change(folder / CARTOONS, lambda data: _flip_a_bit(data, len(data) // 2))
    flags = [f"--data_dir={folder}", f"--run_dir={tmp_path}/run", "--vgg19_weights=random", "--batch_size=4"]
    assert train.main(["train", *flags, *TINY_NETWORKS]) == 1
    assert f"{CARTOONS}: damaged" in (err := capsys.readouterr().err) and "Traceback" not in err


def test_tensorflow_reads_the_records_too(data_dir):
    data = list(tf.data.TFRecordDataset(str(data_dir / CARTOONS)).as_numpy_iterator())
    opened = records.open_records(data_dir)
    assert data == [opened.cartoons.read(i) for i in range(5)]
