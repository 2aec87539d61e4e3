"""Records that TensorFlow can read, and records that are missing or damaged."""

import itertools
import shutil

import pytest
import tensorflow as tf

from cartoongan_tf.base.errors import InputError
from data_pipeline import dataset, record_files, records
from tests.helpers import TINY_NETWORKS

PHOTOS = "photos-train-00000.tfrecord"
CARTOONS = "cartoons-train-00000.tfrecord"
NUM_PHOTOS = 7
NUM_CARTOONS = 5


def _change(path, change):
    path.write_bytes(change(path.read_bytes()))


def _flip_a_bit(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_missing_data_is_answered_by_the_command_that_builds_it(tmp_path):
    with pytest.raises(InputError, match=r"python -m data_pipeline\.build_tfrecords .*--output_dir=.*here"):
        records.open_records(tmp_path / "here")


@pytest.mark.parametrize(
    "file, change, message",
    [
        (PHOTOS, None, f"{PHOTOS}: "),
        (CARTOONS, lambda data: data[:-100], f"{CARTOONS}: .*record 4;"),
        (PHOTOS, lambda data: data[:5], f"{PHOTOS}: .*record 0;"),
        (PHOTOS, lambda data: b"", f"{PHOTOS}: .*record 0;"),
        (PHOTOS, lambda data: b"\xff" * 64, f"{PHOTOS}: .*record 0;"),
        ("dataset.json", lambda data: b"{", r"dataset\.json: damaged"),
        ("dataset.json", lambda data: b"{}", r"dataset\.json: damaged"),
        ("dataset.json", lambda data: b"[]", r"dataset\.json: damaged"),
        ("dataset.json", lambda data: b"\xff{", r"dataset\.json: damaged"),
    ],
)
def test_damaged_data_is_named(data_dir, tmp_path, file, change, message):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    if change:
        _change(folder / file, change)
    else:
        (folder / file).unlink()
    with pytest.raises(InputError, match=message):
        records.open_records(folder)


def test_a_shard_that_lacks_records_is_named(data_dir, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    offset, length = record_files.record_spans(str(folder / PHOTOS), NUM_PHOTOS)[4]
    _change(folder / PHOTOS, lambda data: data[: offset + length + 4])
    with pytest.raises(InputError, match=f"{PHOTOS}: .*record 5;"):
        records.open_records(folder)
    shutil.copy(data_dir / CARTOONS, folder / PHOTOS)
    with pytest.raises(InputError, match=f"{PHOTOS}: .*record 5;"):
        records.open_records(folder)


def test_tensorflow_reads_the_records_too(data_dir):
    data = list(tf.data.TFRecordDataset(str(data_dir / CARTOONS)).as_numpy_iterator())
    opened = records.open_records(data_dir)
    assert data == [opened.cartoons.read(i) for i in range(NUM_CARTOONS)]


def test_a_damaged_record_is_named_when_it_is_read(data_dir, tmp_path):
    folder = shutil.copytree(data_dir, tmp_path / "data")
    intact = (folder / PHOTOS).read_bytes()
    place = intact.index(b"IDAT", intact.index(b"IDAT") + 1) + 10  # in the second record's pixels
    (folder / PHOTOS).write_bytes(_flip_a_bit(intact, place))
    opened = records.open_records(folder)
    opened.photos.read(0)
    with pytest.raises(InputError, match=f"{PHOTOS}: .*record 1;"):
        opened.photos.read(1)
    opened = records.open_records(folder)
    with pytest.raises(InputError, match=f"{PHOTOS}: .*record 1;"), dataset.explaining_damage(opened):
        list(itertools.islice(dataset.build_dataset(opened, batch_size=2, seed=5), 4))


def test_other_errors_of_tensorflow_are_raised_unchanged(data_dir):
    with pytest.raises(tf.errors.NotFoundError), dataset.explaining_damage(records.open_records(data_dir)):
        raise tf.errors.NotFoundError(None, None, "a file")


def test_training_names_a_damaged_record(data_dir, tmp_path, capsys):
    from cartoongan_tf import train

    folder = shutil.copytree(data_dir, tmp_path / "data")
    _change(folder / CARTOONS, lambda data: _flip_a_bit(data, len(data) // 2))
    flags = [f"--data_dir={folder}", f"--run_dir={tmp_path}/run", "--vgg19_weights=random", "--batch_size=4"]
    assert train.main(["train", *flags, *TINY_NETWORKS]) == 1
    error = capsys.readouterr().err
    assert f"{CARTOONS}: damaged" in error and "Traceback" not in error
