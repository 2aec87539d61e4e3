import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cartoongan_tf.base import atomic
from cartoongan_tf.media import pictures
from data_pipeline.frames import film_analysis, report
from tests.extracting import RATE, TAKEN, contents, frames_json, picture_names, run, scene, short_film
from tests.films import Seen, write_film
from tests.helpers import REPOSITORY


def test_a_second_run_has_nothing_to_do(mine, extracted, capsys, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in mine.glob("*.png")}
    monkeypatch.setattr(film_analysis, "analyse", lambda *_: pytest.fail("looked at again"))
    all_before = contents(mine)
    assert run(extracted / "film.mp4", mine) == 0
    assert "Nothing to do" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in mine.glob("*.png")} == before
    assert contents(mine) == all_before


def test_the_sheet_shows_the_set_even_after_a_run_that_was_interrupted_before_it(mine, extracted, monkeypatch):
    sheet = mine.with_name("frames-contact-sheet.jpg")
    with monkeypatch.context() as patched:
        patched.setattr(report, "write_sheet", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(extracted / "film.mp4", mine, max_frames=2)
    before = sheet.read_bytes()
    assert run(extracted / "film.mp4", mine, max_frames=2) == 0
    assert sheet.read_bytes() != before


def test_a_frame_that_was_removed_by_hand_stays_away(mine, extracted, tmp_path):
    names = picture_names(mine)
    (mine / names[2]).unlink()
    for flags in ({}, {"long_side": 80}, {"format": "jpg"}):
        assert run(extracted / "film.mp4", mine, **flags) == 0
        stem = Path(names[2]).stem
        assert len(picture_names(mine)) == len(names) - 1
        assert stem not in {Path(name).stem for name in picture_names(mine)}
        assert frames_json(mine)["removed_by_hand"] == [stem]
    assert len(frames_json(mine)["frames"]) == len(names) - 1


def test_a_frame_removed_by_hand_stays_away_after_an_interruption(mine, extracted, monkeypatch):
    unlink = Path.unlink

    def fail_at_a_frame(path, *args, **kwargs):
        if path.suffix == ".png":
            raise ZeroDivisionError
        unlink(path, *args, **kwargs)

    names = picture_names(mine)
    (mine / names[2]).unlink()
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr(Path, "unlink", fail_at_a_frame)  # while frames of another size are replaced
        run(extracted / "film.mp4", mine, long_side=80)
    assert run(extracted / "film.mp4", mine, long_side=80) == 0
    assert frames_json(mine)["removed_by_hand"] == [Path(names[2]).stem]
    assert {pictures.read_picture(mine / name).shape[1] for name in picture_names(mine)} == {80}


def test_a_frame_that_was_not_written_yet_is_written(mine, extracted):
    before_all = contents(mine)
    (mine / picture_names(mine)[2]).unlink()
    (mine / "frames.json").unlink()  # as an interrupted run leaves it
    assert run(extracted / "film.mp4", mine) == 0
    assert contents(mine) == before_all


def test_other_flags_replace_the_frames_and_touch_nothing_else(mine, extracted, monkeypatch):
    (mine / "my drawing.png").write_bytes(b"mine")
    monkeypatch.setattr(film_analysis, "analyse", lambda *_: pytest.fail("looked at again"))
    before = picture_names(mine)
    assert run(extracted / "film.mp4", mine, max_frames=2) == 0
    kept = picture_names(mine)
    assert len(kept) == 3 and set(kept) < set(before) and (mine / "my drawing.png").read_bytes() == b"mine"
    assert frames_json(mine)["totals"]["dropped"]["over --max_frames"] == 3
    assert run(extracted / "film.mp4", mine, long_side=80, format="jpg") == 0
    replaced = [name for name in picture_names(mine) if name != "my drawing.png"]
    assert {pictures.read_picture(mine / name).shape[1] for name in replaced} == {80}
    assert {Path(name).suffix for name in replaced} == {".jpg"} and len(replaced) == len(before) - 1


def test_frames_of_another_size_are_written_anew(mine, extracted):
    assert run(extracted / "film.mp4", mine, long_side=100) == 0
    assert {pictures.read_picture(mine / name).shape[1] for name in picture_names(mine)} == {100}


def test_more_films_extend_the_set(mine, extracted, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in mine.glob("*.png")}
    other = short_film(tmp_path / "film.mkv", 0)  # of the same name
    third = short_film(tmp_path / "third.mkv", 1)
    assert run(extracted / "film.mp4", other, mine) == 0
    assert run(third, mine) == 0  # added, though the others are not named
    assert before.items() < {path: path.stat().st_mtime_ns for path in mine.glob("*.png")}.items()
    content = frames_json(mine)
    assert content["totals"]["films"] == 3 and len(content["frames"]) == len(TAKEN) + 2 + 2
    assert picture_names(mine) == sorted(frame["file"] for frame in content["frames"])
    for film, number in ((extracted / "film.mp4", 0), (other, len(TAKEN)), (third, len(TAKEN) + 2)):
        frame = content["frames"][number]
        seen = Seen(film).pictures[round(frame["secs"] * RATE)]
        box = next(entry["picture"] for entry in content["films"] if entry["film"] == str(film))
        written = pictures.read_picture(mine / frame["file"])
        np.testing.assert_array_equal(written, seen[box["top"] : box["bottom"], box["left"] : box["right"]])


def test_flags_that_would_leave_nothing_change_nothing(mine, extracted, capsys):
    before = contents(mine)
    assert run(extracted / "film.mp4", mine, min_sharpness=99) == 1
    assert "nothing was changed" in capsys.readouterr().err and contents(mine) == before


def test_two_runs_at_once_are_refused(mine, extracted, capsys):
    with atomic.locked(mine):
        assert run(extracted / "film.mp4", mine) == 1
    assert str(mine) in capsys.readouterr().err


def test_films_are_told_apart_by_where_they_lie(tmp_path, monkeypatch):
    for number in (0, 1):
        (tmp_path / str(number)).mkdir()
        short_film(tmp_path / str(number) / "film.mp4", number)
        monkeypatch.chdir(tmp_path / str(number))
        assert run("film.mp4", tmp_path / "frames") == 0
    monkeypatch.chdir(tmp_path)
    before = contents(tmp_path / "frames")
    assert run("1/film.mp4", tmp_path / "frames") == 0  # that is one of them
    assert contents(tmp_path / "frames") == before and len(picture_names(tmp_path / "frames")) == 4


def test_a_film_that_cannot_be_read_any_more_is_named_and_its_frames_stay(tmp_path, capsys):
    films = [short_film(tmp_path / f"{seed}.mp4", seed) for seed in range(2)]
    assert run(films[0], tmp_path / "frames") == 0
    before = contents(tmp_path / "frames")
    films[0].write_bytes(b"no film")
    assert run(films[1], tmp_path / "frames") == 1
    assert str(films[0]) in capsys.readouterr().err and contents(tmp_path / "frames") == before


def test_a_damaged_analysis_is_made_again_and_a_damaged_plan_named(mine, extracted, capsys):
    before = contents(mine)
    (analysis,) = mine.glob(".extract/*.npz")
    for damage in (b"", b"no archive", analysis.read_bytes()[:99]):
        analysis.write_bytes(damage)
        assert run(extracted / "film.mp4", mine) == 0 and contents(mine) == before
    (mine / ".extract" / "plan.json").write_text("")
    assert run(extracted / "film.mp4", mine) == 1
    assert "plan.json: " in capsys.readouterr().err


def test_films_that_are_gone_keep_their_frames(tmp_path, capsys):
    films = [short_film(tmp_path / f"{seed}.mp4", seed) for seed in range(2)]
    assert run(films[0], tmp_path / "frames") == 0
    before = contents(tmp_path / "frames")
    films[0].unlink()
    assert run(films[1], tmp_path / "frames") == 0
    after = contents(tmp_path / "frames")
    assert {name for name in before if name.endswith(".png")} < set(after)
    assert len(picture_names(tmp_path / "frames")) == 4
    assert run(films[1], tmp_path / "frames", long_side=80) == 1  # that needs the film
    assert contents(tmp_path / "frames") == after
    assert str(films[0]) in capsys.readouterr().err
    assert run(films[1], tmp_path / "frames") == 0


def test_a_film_that_was_exported_again_is_looked_at_again(tmp_path):
    """Even if it is as large as before, and its frames are called as before."""
    film = tmp_path / "film.avi"
    pixels = []
    for seed in (1, 2):
        write_film(film, [scene(seed)[0]], codec="rawvideo")
        os.utime(film, (seed, seed))
        assert run(film, tmp_path / "frames") == 0
        (name,) = picture_names(tmp_path / "frames")
        pixels.append(pictures.read_picture(tmp_path / "frames" / name))
        np.testing.assert_array_equal(pixels[-1], Seen(film).pictures[0])
    assert name == "film-00-00-00.000.png" and (pixels[0] != pixels[1]).any()


def test_a_file_of_the_user_is_never_overwritten(mine, extracted, capsys):
    shutil.rmtree(mine / ".extract")
    assert run(extracted / "film.mp4", mine) == 1
    error = capsys.readouterr().err
    assert any(str(mine / name) in error for name in picture_names(mine))


def test_a_full_disk_leaves_nothing_half_written_and_the_run_resumes_later(extracted, tmp_path, monkeypatch, capsys):
    write_bytes = Path.write_bytes
    left = [2]

    def fail_later(path, content):
        left[0] -= 1
        if left[0] < 0:
            write_bytes(path, content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_later)
    assert run(extracted / "film.mp4", tmp_path / "frames") == 1
    assert "No space left" in capsys.readouterr().err
    assert len(picture_names(tmp_path / "frames")) == 2 and not (tmp_path / "frames" / "frames.json").exists()
    assert not list((tmp_path / "frames").rglob("*.partial*"))
    monkeypatch.undo()
    assert run(extracted / "film.mp4", tmp_path / "frames") == 0
    assert contents(tmp_path / "frames") == contents(extracted / "frames")


@pytest.mark.slow
def test_a_killed_run_resumes_and_ends_like_one_that_was_not(extracted, tmp_path):
    films = [extracted / "film.mp4", *(short_film(tmp_path / f"{seed}.mp4", seed) for seed in range(3))]
    assert run(*films, tmp_path / "whole", frames_per_shot=3) == 0
    command = [sys.executable, "-m", "data_pipeline.extract_frames", f"--output_dir={tmp_path / 'killed'}"]
    command += [f"--video={films[0]}", "--frames_per_shot=3", *map(str, films[1:])]
    (tmp_path / "killed").mkdir()
    num_kills = 0
    for _ in range(30):
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        count = len(list((tmp_path / "killed").rglob("*.*")))
        while process.poll() is None and len(list((tmp_path / "killed").rglob("*.*"))) <= count + 2:
            time.sleep(0.001)
        if process.poll() is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        num_kills += 1
        for path in (tmp_path / "killed").glob("[!.]*.png"):  # what has its name is whole
            pictures.read_picture(path)
    assert num_kills >= 2
    assert subprocess.run(command, cwd=REPOSITORY, capture_output=True).returncode == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
