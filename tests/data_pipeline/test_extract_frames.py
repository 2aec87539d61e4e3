import re
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf.media import folders, pictures
from data_pipeline import extract_frames
from data_pipeline.frames import report
from tests.extracting import (
    BAR,
    BLACK,
    HEIGHT,
    PARTS,
    RATE,
    STARTS,
    TAKEN,
    TITLE,
    WIDTH,
    frames_json,
    picture_names,
    run,
    scene,
    short_film,
)
from tests.films import Seen, destroy, make_film, write_film
from tests.helpers import draw


def test_each_shot_gives_its_best_frame_and_no_other_part_any(extracted):
    taken = [round(frame["secs"] * RATE) for frame in frames_json(extracted / "frames")["frames"]]
    assert [_part(index) for index in taken] == TAKEN
    assert taken[1] >= STARTS["begins blurred"] + 6
    assert taken[2] >= STARTS["from black"] + 6 + 4 and taken[3] >= STARTS["from white"] + 4


def _part(index):
    return [part for part in PARTS if STARTS[part] <= index][-1]


def test_every_frame_of_the_film_is_accounted_for_with_its_reason(extracted):
    content = frames_json(extracted / "frames")
    spans = [span for frame in content["frames"] for span in frame["shot"]["dropped"]]
    spans += [span for shot in content["shots_without_frames"] for span in shot["dropped"]]
    why = {}
    for span in spans:
        for index in range(round(span["from"] * RATE), round(span["to"] * RATE)):
            why[index] = span["why"]
    taken = {round(frame["secs"] * RATE) for frame in content["frames"]}
    assert set(why) | taken == set(range(sum(map(len, PARTS.values())))) and not set(why) & taken
    expected = {
        "title": {"text"},
        "begins blurred": {"faded", "less sharp"},  # so strong a blur takes contrast too
        "from black": {"black", "faded", "less sharp"},
        "from white": {"black", "faded", "less sharp"},
        "blurred": {"blurred"},
        "repeated": {"less sharp", f"near-duplicate of {content['frames'][0]['file'][:-4]}"},
    }
    for part, reasons in expected.items():
        found = {why[i] for i in range(STARTS[part], STARTS[part] + len(PARTS[part])) if i in why}
        assert found == reasons, part
    assert sum(content["totals"]["dropped"].values()) == len(why)
    assert content["films"][0]["frames"] == len(why) + len(taken)
    assert content["films"][0]["shots"] == content["totals"]["shots"] == len(PARTS)


def test_what_is_written_is_the_films_picture_at_that_time_without_bars(extracted):
    seen = Seen(extracted / "film.mp4").pictures
    content = frames_json(extracted / "frames")
    box = content["films"][0]["picture"]
    assert (box["left"], box["right"]) == (0, WIDTH)
    assert 1 <= box["top"] - BAR <= 3 and 1 <= HEIGHT - BAR - box["bottom"] <= 3
    for frame in content["frames"]:
        picture = pictures.read_picture(extracted / "frames" / frame["file"])
        expected = seen[round(frame["secs"] * RATE)][box["top"] : box["bottom"]]
        np.testing.assert_array_equal(picture, expected)
        assert frame["file"] == f"film-{frame['timecode'].replace(':', '-')}.png"


def test_times_of_a_variable_frame_rate(tmp_path):
    film = make_film(tmp_path / "film.mkv", times=[2000 * i + 37 * i * i for i in range(20)])
    assert run(film, tmp_path / "frames", frames_per_shot=4, min_sharpness=0, duplicate_bits=-1) == 0
    seen = Seen(film)
    for frame in frames_json(tmp_path / "frames")["frames"]:
        index = int(np.argmin([abs(float(time) - frame["secs"]) for time in seen.times]))
        picture = pictures.read_picture(tmp_path / "frames" / frame["file"])
        np.testing.assert_array_equal(picture, seen.pictures[index])


def test_the_sheet_lies_beside_the_folder_and_no_picture_but_frames_in_it(extracted, capsys):
    assert {path.suffix for path in folders.list_files(extracted / "frames")} == {".png", ".json"}
    sheet = pictures.read_picture(extracted / "frames-contact-sheet.jpg")
    assert sheet.shape[1] >= len(TAKEN) * 240


def test_one_short_shot_gives_one_frame(tmp_path, capsys):
    assert run(make_film(tmp_path / "film.mp4"), tmp_path / "frames", min_sharpness=0) == 0
    assert len(picture_names(tmp_path / "frames")) == 1
    assert "--frames_per_shot" in capsys.readouterr().out  # the advice to get more


def test_pixels_become_square(tmp_path):
    def prepare(video):
        video.codec_context.sample_aspect_ratio = 2

    film = make_film(tmp_path / "film.mp4", prepare=prepare)
    assert run(film, tmp_path / "frames", min_sharpness=0) == 0
    (name,) = picture_names(tmp_path / "frames")
    assert pictures.read_picture(tmp_path / "frames" / name).shape == (48, 128, 3)


def test_combs_are_no_sharpness(tmp_path, capsys):
    """Half a second pans in two fields a frame, half a second stands still."""
    picture = draw(2, 304, 400)[:, :, 1:2].repeat(3, -1)
    moments = [picture[:, 8 * i : 8 * i + 320] for i in range(10)]
    frames = [np.where(np.arange(304)[:, None, None] % 2, moments[i + 1], moments[i]) for i in range(0, 10, 2)]
    film = write_film(tmp_path / "rip.mp4", frames + [moments[0]] * 5)
    assert run(film, tmp_path / "frames", frames_per_shot=3) == 0
    assert "5 interlaced frames are deinterlaced" in capsys.readouterr().err
    for name in picture_names(tmp_path / "frames"):
        written = pictures.read_picture(tmp_path / "frames" / name)
        assert min(np.abs(written - moment.astype(int)).mean() for moment in moments) < 2


def test_folders_and_patterns_give_their_films(tmp_path, capsys):
    films = tmp_path / "films"
    (films / "more").mkdir(parents=True)
    short_film(films / "one.mp4", 0)
    short_film(films / "more" / "two.mkv", 1)
    short_film(films / ".hidden.mp4", 2)
    (films / "one.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    assert run(films, films / "frames") == 0
    assert _skipped(capsys) == [str(films / "one.srt")]
    assert [Path(film["film"]).name for film in frames_json(films / "frames")["films"]] == ["two.mkv", "one.mp4"]
    assert run(films, films / "frames") == 0
    assert not any(name.endswith(".png") for name in _skipped(capsys))  # its own results
    assert run(films / "*.mp4", films / "more" / "two.mkv", tmp_path / "b", crop_bars=False) == 0
    assert len(frames_json(tmp_path / "b")["films"]) == 2


def _skipped(capsys):
    return re.findall(r"^Skipped (.*?):", capsys.readouterr().err, re.MULTILINE)


def _damaged(path):
    make_film(path, "mjpeg")
    destroy(path, set(range(20)))


def test_a_damaged_film_among_several_is_named_and_the_others_go_on(tmp_path, capsys):
    (tmp_path / "films").mkdir()
    short_film(tmp_path / "films" / "good.mp4", 0)
    _damaged(tmp_path / "films" / "bad.mp4")
    (tmp_path / "films" / "worse.mp4").write_text("no film")
    assert run(tmp_path / "films", tmp_path / "frames") == 0
    errors = capsys.readouterr().err
    assert "bad.mp4: " in errors and "worse.mp4: " in errors and "2 of 3 films" in errors
    assert len(picture_names(tmp_path / "frames")) == 2
    assert run(tmp_path / "films", tmp_path / "strict", strict=True) == 1
    assert "bad.mp4" in capsys.readouterr().err and not picture_names(tmp_path / "strict")
    (tmp_path / "films" / "good.mp4").unlink()
    assert run(tmp_path / "films", tmp_path / "none") == 1
    assert "none of the 2 films" in capsys.readouterr().err


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.write_text("hello"),
        _damaged,
        lambda path: path.mkdir(),
        lambda path: (path.mkdir(), (path / "a.txt").write_text("")),
    ],
    ids=["missing", "no film", "damaged", "empty folder", "folder without a film"],
)
def test_a_source_that_cannot_be_read_is_named(tmp_path, make, capsys):
    make(tmp_path / "in.mp4")
    assert run(tmp_path / "in.mp4", tmp_path / "frames") == 1
    errors = capsys.readouterr().err
    assert str(tmp_path / "in.mp4") in errors and "Traceback" not in errors
    assert not (tmp_path / "frames").exists() or not picture_names(tmp_path / "frames")


def test_a_broken_link_and_an_empty_folder_do_not_stop_the_others(tmp_path, capsys):
    (tmp_path / "films" / "empty").mkdir(parents=True)
    make_film(tmp_path / "films" / "film.mp4")
    (tmp_path / "films" / "link.mp4").symlink_to(tmp_path / "none.mp4")
    for number, video in enumerate((tmp_path / "films", tmp_path / "films" / "*")):
        assert run(video, tmp_path / str(number), min_sharpness=0) == 0
        assert "link.mp4: " in capsys.readouterr().err
        assert len(picture_names(tmp_path / str(number))) == 1


def test_a_film_that_is_cut_short_gives_what_it_has(tmp_path, capsys):
    film = write_film(tmp_path / "film.mkv", [frame for seed in range(5) for frame in scene(seed)])
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    assert run(film, tmp_path / "frames") == 0
    (warning,) = frames_json(tmp_path / "frames")["films"][0]["warnings"]
    assert f"{film}: {warning}" in capsys.readouterr().err
    assert 0 < len(picture_names(tmp_path / "frames")) < 5


def test_a_film_without_a_usable_frame_says_why(tmp_path, capsys):
    write_film(tmp_path / "film.mp4", TITLE + BLACK)
    assert run(tmp_path / "film.mp4", tmp_path / "frames") == 1
    errors = capsys.readouterr().err
    assert "10 text" in errors and "6 black" in errors
    assert frames_json(tmp_path / "frames")["frames"] == []


def test_impossible_flags_are_refused(tmp_path, capsys):
    for flag, value in (("long_side", -1), ("long_side", 31), ("frames_per_shot", 0), ("format", "bmp")):
        assert run(tmp_path / "film.mp4", tmp_path / "frames", **{flag: value}) == 2, flag
        assert f"--{flag}" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_named(extracted, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(extracted / "film.mp4", tmp_path / "file") == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_large_sets_are_shown_in_part(extracted, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MAX_ON_SHEET", 2)
    shown = []
    monkeypatch.setattr(report.sheets, "contact_sheet", lambda rows: shown.extend(rows) or rows[0][1][0])
    assert run(extracted / "film.mp4", tmp_path / "frames") == 0
    assert len(shown) == 2


def test_help_names_the_flags(capsys):
    assert extract_frames.main(["extract", "--help"]) == 0
    text = capsys.readouterr().out
    for flag in ("--video", "--frames_per_shot", "--duplicate_bits", "--[no]drop_text", "--min_sharpness"):
        assert flag in text
