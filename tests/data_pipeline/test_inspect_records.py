import json
import shutil

import cv2
import numpy as np
import pytest

from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import read_picture
from data_pipeline import build_tfrecords, inspect_records, inspection, records
from data_pipeline.edge_smoothing import Smoothing, edge_pixels, edge_region, smooth_edges
from tests.helpers import draw


@pytest.fixture
def folder(data_dir, tmp_path):
    """A data folder of 7 photos and 5 cartoons of 32 px, to write into."""
    return shutil.copytree(data_dir, tmp_path / "data")


def _run(folder, *flags):
    return inspect_records.main(["inspect", f"--data_dir={folder}", *flags])


def _photo(seed):
    """Grey hills in soft light, with the grain of a camera."""
    rng = np.random.default_rng(seed)
    rough = cv2.resize(rng.normal(120, 60, (12, 12)), (96, 96), interpolation=cv2.INTER_CUBIC)
    grey = rough + rng.normal(0, 8, (96, 96))
    tint = rng.uniform(-8, 8, 3)
    return (grey[..., np.newaxis] + tint).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Real folders of 30 photos and 30 drawings, built in the right and in the wrong order."""
    root = tmp_path_factory.mktemp("inspected")
    for seed in range(30):
        pictures.write_picture(root / "photos" / f"{seed}.png", _photo(seed))
        pictures.write_picture(root / "drawings" / f"{seed}.png", draw(seed, 96, 96) // 2 + np.uint8(60))
    for order, photos, cartoons in (("right", "photos", "drawings"), ("swapped", "drawings", "photos")):
        flags = [f"--photos_dir={root / photos}", f"--cartoons_dir={root / cartoons}", f"--output_dir={root / order}"]
        assert build_tfrecords.main(["build", *flags, "--image_size=96", "--duplicate_bits=-1"]) == 0
    return root


def _warnings(folder):
    return [warning["name"] for warning in json.loads((folder / "inspection.json").read_text())["warnings"]]


def test_the_right_order_and_the_wrong_one(built, capsys):
    assert _run(built / "right") == 0
    assert _warnings(built / "right")[:2] == ["few_photos", "few_cartoons"]
    assert "swapped" not in _warnings(built / "right")
    assert _run(built / "swapped") == 0
    assert _warnings(built / "swapped")[0] == "swapped"
    assert "--photos_dir and --cartoons_dir" in capsys.readouterr().out


def test_the_figures_are_printed_and_written(folder, capsys):
    assert _run(folder) == 0
    printed = capsys.readouterr().out
    written = json.loads((folder / "inspection.json").read_text())
    assert {"photos", "cartoons", "drawn_more", "warnings"} == set(written)
    for kind, count in (("photos", 7), ("cartoons", 5)):
        assert written[kind]["examples"] == written[kind]["pictures"] == written[kind]["measured"] == count
        assert written[kind]["skipped"] == {"unreadable": 1}
    assert printed.count("1 unreadable") == 2
    assert ("region_share" in written["cartoons"]["statistics"]) > ("region_share" in written["photos"]["statistics"])
    opened = records.open_records(folder)
    photos = [example.parts[0] for example in inspection.photos(opened, 0)]
    means = [cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).mean() for photo in photos]
    brightness = written["photos"]["statistics"]["brightness"]
    assert brightness["mean"] == pytest.approx(np.mean(means))
    assert brightness["median"] == pytest.approx(np.median(means))
    assert brightness["p10"] < brightness["median"] < brightness["p90"]
    assert written["photos"]["statistics"]["side_px"]["mean"] == pytest.approx(53)  # photos are 50 to 56 pixels high
    assert f"{np.mean(means):.0f}" in next(line for line in printed.splitlines() if line.startswith("mean brightness"))
    for warning in written["warnings"]:
        assert warning["text"] in " ".join(printed.split())


def test_examples_are_spread_over_the_records(folder):
    opened = records.open_records(folder)
    sources = [example.source for example in inspection.photos(opened, 3)]
    everything = [example.source for example in inspection.photos(opened, 0)]
    assert len(everything) == 7 and sources == everything[::3]
    for _, _, (cartoon, smoothed), _ in inspection.cartoons(opened, 2):
        np.testing.assert_array_equal(smoothed, smooth_edges(cartoon))


def test_the_sheet_shows_photos_and_cartoons_with_their_edges(folder, tmp_path):
    assert _run(folder, f"--output={tmp_path}/out/sheet.png", "--num_examples=2") == 0
    assert not (folder / "contact-sheet.jpg").exists() and not (folder / "inspection.json").exists()
    sheet = read_picture(tmp_path / "out" / "sheet.png")
    assert (tmp_path / "out" / "inspection.json").is_file()
    opened = records.open_records(folder)
    shown = [photo for _, _, (photo,), _ in inspection.photos(opened, 2)]
    for _, _, (cartoon, smoothed), _ in inspection.cartoons(opened, 2):
        shown += [cartoon, inspection.mark_edges(cartoon, opened.smoothing), smoothed]
    for picture in shown:
        large = picture.repeat(5, 0).repeat(5, 1)  # 32 px pictures are enlarged to 160
        assert cv2.matchTemplate(sheet, large, cv2.TM_SQDIFF).min() < 1e3, "a picture is not on the sheet"


def test_by_default_the_sheet_lies_in_the_data_folder(folder, capsys):
    assert _run(folder, "--num_measured=2") == 0
    photos = json.loads((folder / "inspection.json").read_text())["photos"]
    assert (photos["measured"], photos["examples"]) == (2, 7)
    assert read_picture(folder / "contact-sheet.jpg").shape[1] > 500
    assert str(folder / "contact-sheet.jpg") in capsys.readouterr().out


def test_marked_edges():
    cartoon = draw(1)
    smoothing = Smoothing(dilation_px=3)
    marked = inspection.mark_edges(cartoon, smoothing)
    edges = edge_pixels(cartoon, smoothing)
    region = edge_region(cartoon, smoothing)
    assert (marked[edges] == 255).all()
    assert (marked[region & ~edges][:, 0] == 200).all() and (marked[~edges][:, 1:] <= 127).all()
    np.testing.assert_array_equal(marked[~region], cartoon[~region] // 2)


def test_a_folder_without_records(tmp_path, capsys):
    assert _run(tmp_path) == 1
    assert "data_pipeline.build_tfrecords" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_damaged_records(folder, capsys):
    shard = next(folder.glob("photos-*.tfrecord"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    assert _run(folder) == 1
    assert shard.name in capsys.readouterr().err
    assert not (folder / "inspection.json").exists()


def test_flags_that_cannot_be_used(folder, capsys):
    for flag in ("--num_examples=0", "--num_measured=-1", "--output=sheet.docx"):
        assert _run(folder, flag) == 2, flag
        assert flag.split("=")[1] in capsys.readouterr().err, flag
