"""Faces in photos and in records, found by the real detector in one real photo."""

import json
import pickle
import threading

import cv2
import numpy as np
import pytest
import skimage.data

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.media import pictures
from data_pipeline import build_tfrecords, dataset, faces, inspect_records, inspection, records
from data_pipeline.faces import DETECTOR, Detector, boxes_in_square, installed_detector
from data_pipeline.squares import Square
from tests.helpers import contents, draw, draw_photo_like

FACE = np.array([70, 174, 174, 278])  # top, left, bottom and right in the photo, by eye
EYES = np.array([[104, 207], [106, 245]])
WIDE_LEFT = 20  # columns cut off on the left of the wide photo


@pytest.fixture(scope="module")
def portrait():
    """Eileen Collins, by NASA, in the public domain; uint8 RGB [512, 512, 3]."""
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def photos(portrait, tmp_path_factory):
    """A folder of two photos with a face and of three without."""
    folder = tmp_path_factory.mktemp("faces") / "photos"
    pictures.write_picture(folder / "portrait.png", portrait)
    pictures.write_picture(folder / "wide.png", np.hstack([portrait[:, WIDE_LEFT:], draw_photo_like(9, 512, 420)]))
    for seed in range(3):
        pictures.write_picture(folder / f"scene{seed}.png", draw_photo_like(seed, 200, 300))
    return folder


def _build(photos, output, *flags):
    more = ("--teacher=abstraction", "--image_size=128", *flags)
    return build_tfrecords.main(["build", f"--photos_dir={photos}", f"--output_dir={output}", *more])


@pytest.fixture(scope="module")
def built(photos, tmp_path_factory):
    """Records of them with faces, of 128 px."""
    folder = tmp_path_factory.mktemp("data") / "built"
    assert _build(photos, folder, "--faces") == 0
    return folder


def _examples(folder):
    """Source, square and boxes of each record."""
    opened = records.open_records(folder)
    for number in range(len(opened.photos)):
        data = opened.photos.read(number)
        yield *records.parse_origin(data), records.parse_faces(data).numpy()


def _is_around(box, points):
    return bool((points > box[:2]).all() and (points < box[2:]).all())


@pytest.mark.parametrize("size, side_px", [(80, 200), (200, 512), (512, 512)])
@pytest.mark.parametrize("place", [(0, 0), (0.5, 1), (1, 0.3)])
def test_a_face_is_found_wherever_it_is(portrait, size, side_px, place):
    """From a twelfth of the square's side on: a portrait of 80 pixels has a face of 16."""
    scene = draw_photo_like(3, 512, 768)
    top, left = (round(share * (side - size)) for share, side in zip(place, scene.shape[:2], strict=True))
    scene[top : top + size, left : left + size] = cv2.resize(portrait, (size, size), interpolation=cv2.INTER_AREA)
    (box,) = (installed_detector().find(scene, side_px) - [top, left, top, left]) * 512 / size
    assert _is_around(box, EYES)
    np.testing.assert_allclose(box, FACE, atol=30)


def test_what_is_no_face_is_not_found():
    for seed in range(5):
        for picture in (draw(seed, 200, 300), draw_photo_like(seed, 300, 200), np.zeros((40, 400, 3), np.uint8)):
            assert installed_detector().find(picture, 200).shape == (0, 4)


def test_every_face_counts_once(portrait):
    """Side by side, each of them in several tiles and at several sizes."""
    scene = np.hstack([portrait, portrait[:, ::-1], portrait])
    found = installed_detector().find(scene, 256)
    expected = np.array([FACE, [FACE[0], 1024 - FACE[3], FACE[2], 1024 - FACE[1]], FACE + np.array([0, 1024, 0, 1024])])
    np.testing.assert_allclose(found[np.argsort(found[:, 1])], expected, atol=15)


def test_boxes_are_cut_to_the_square():
    boxes = np.array([[10.2, 20, 30, 40], [0, 90, 50, 130], [-5, 0, 12, 200], [60, 60, 70, 70], [0, 99.9, 50, 130]])
    cut = boxes_in_square(boxes, Square(top=10, left=50, side=50), 100)
    assert cut.dtype == np.int64
    assert cut.tolist() == [[0, 80, 80, 100], [0, 0, 4, 100]]


def test_records_hold_the_part_of_each_face_in_the_square(built):
    examples = {source: (square, boxes) for source, square, boxes in _examples(built)}
    square, (box,) = examples["portrait.png"]
    assert square == (0, 0, 512)
    np.testing.assert_allclose(box, FACE / 4, atol=4)
    square, (box,) = examples["wide.png"]
    assert square.left > FACE[1] - WIDE_LEFT  # the square begins in the face
    np.testing.assert_allclose(box, [FACE[0] / 4, 0, FACE[2] / 4, (FACE[3] - WIDE_LEFT - square.left) / 4], atol=4)
    assert all(len(examples[f"scene{seed}.png"][1]) == 0 for seed in range(3))
    dataset_file = json.loads((built / "dataset.json").read_text())
    assert dataset_file["faces"] == {"name": DETECTOR, "version": installed_detector().version}
    assert dataset_file["parameters"]["faces"] is True


def test_threads_and_squares_change_nothing(photos, tmp_path, monkeypatch):
    monkeypatch.setattr("data_pipeline.shards.FILES_PER_SHARD", 2)
    for num_workers in (1, 3):
        output = tmp_path / f"data{num_workers}"
        assert _build(photos, output, "--faces", "--crops_per_image=4", f"--num_workers={num_workers}") == 0
    assert contents(tmp_path / "data1") == contents(tmp_path / "data3")
    boxes = [box for source, _, found in _examples(tmp_path / "data1") if source == "portrait.png" for box in found]
    assert len(boxes) == 2  # the face lies in the two upper squares


def test_without_the_flag_nothing_of_it_is_written(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(faces.Detector, "find", pytest.fail)
    assert _build(photos, tmp_path / "data") == 0
    dataset_file = json.loads((tmp_path / "data" / "dataset.json").read_text())
    assert "faces" not in dataset_file and "faces" not in dataset_file["parameters"]
    assert b"faces" not in (tmp_path / "data" / "photos-train-00000.tfrecord").read_bytes()
    assert not records.open_records(tmp_path / "data").has_faces


def test_the_photos_are_those_of_records_without_faces(photos, built, tmp_path):
    assert _build(photos, tmp_path / "plain") == 0
    found, plain = (records.open_records(folder) for folder in (built, tmp_path / "plain"))
    assert found.has_faces and len(found.photos) == 5
    for number in range(5):
        pairs = [records.parse_drawn_photo(each.photos.read(number), 128) for each in (found, plain)]
        for ours, theirs in zip(*pairs, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_build_is_never_finished_by_another_detector(photos, built, monkeypatch, capsys):
    assert _build(photos, built) == 1
    error = capsys.readouterr().err
    assert "--faces=True" in error and "--overwrite" in error
    monkeypatch.setattr("data_pipeline.builder.installed_detector", lambda: Detector(DETECTOR, "0.1"))
    assert _build(photos, built, "--faces") == 1
    error = capsys.readouterr().err
    assert f"--faces: {built}" in error and DETECTOR in error and "--overwrite" in error


def test_a_worker_with_another_detector_stops(portrait, monkeypatch):
    detector = pickle.loads(pickle.dumps(Detector(DETECTOR, "0.1")))
    monkeypatch.setattr(faces, "_of_this_thread", threading.local())
    with pytest.raises(InputError, match="--faces: "):
        detector.find(portrait, 512)


def test_maps_of_faces_by_hand():
    marked = dataset.map_faces(np.array([[1, 0, 3, 2], [0, 3, 4, 4], [2, 1, 3, 3]]), 5).numpy()
    expected = ["00010", "11010", "11110", "00010", "00000"]
    assert marked.shape == (5, 5, 3) and marked.dtype == np.uint8
    for channel in range(3):
        assert ["".join(map(str, row)) for row in marked[..., channel]] == expected
    assert not dataset.map_faces(np.zeros((0, 4), np.int64), 5).numpy().any()


def test_a_map_is_cropped_and_flipped_with_its_photo(built):
    opened = records.open_records(built)
    whole = {}
    for number in range(len(opened.photos)):
        data = opened.photos.read(number)
        photo = records.parse_photo(data, 128).numpy()
        marked = dataset.map_faces(records.parse_faces(data), 128).numpy()
        for flipped in (False, True):
            whole[number, flipped] = (photo[:, ::-1], marked[:, ::-1]) if flipped else (photo, marked)
    arguments = {"batch_size": 5, "seed": 3, "crop_size": 96, "with_cartoons": False}
    seen = set()
    for batch in dataset.build_dataset(opened, **arguments, with_faces=True).take(6).as_numpy_iterator():
        assert set(batch) == {"photo", "faces"}
        for photo, marked in zip(batch["photo"], batch["faces"], strict=True):
            key, top, left = next(_places(whole, photo))
            np.testing.assert_array_equal(marked, whole[key][1][top : top + 96, left : left + 96])
            if marked.any():
                seen.add((*key, top, left))
    assert len(seen) > 5 and {flipped for _, flipped, *_ in seen} == {False, True}


def _places(whole, crop):
    """Yield where a crop of 96 pixels comes from: the photo's key, top and left."""
    for key, (photo, _) in whole.items():
        for top in range(33):
            for left in range(33):
                if (photo[top, left : left + 96] == crop[0]).all() and (
                    photo[top : top + 96, left : left + 96] == crop
                ).all():
                    yield key, top, left


def test_inspection_shows_the_faces(built, tmp_path, capsys):
    assert inspect_records.main(["inspect", f"--data_dir={built}", f"--output={tmp_path / 'sheet.png'}"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("faces")]
    assert line.split()[1] == "0.40"  # 2 in 5 photos
    figures = json.loads((tmp_path / "inspection.json").read_text())
    assert figures["photos"]["statistics"]["num_faces"]["mean"] == pytest.approx(0.4)
    framed = inspection.frame_faces(np.zeros((8, 8, 3), np.uint8), np.array([[1, 2, 4, 7]]))
    assert ["".join("#" if red else "." for red in row) for row in framed[..., 0] == 255] == [
        "........", "..#####.", "..#...#.", "..#####.", "........", "........", "........", "........",
    ]  # fmt: skip
