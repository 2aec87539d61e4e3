"""The program on this machine, by Beam's own runner, in local folders and through Beam's file systems."""

import contextlib
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("apache_beam", reason="drawing archives needs Apache Beam: pip install '.[beam]'")

from cartoongan_tf import Cartoonizer, cartoonize_archive
from cartoongan_tf.archive import listing, worker
from cartoongan_tf.media import film, film_parts, pictures
from tests.films import Seen, write_film
from tests.helpers import draw
from tests.shelf import Shelf


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A tree of pictures, films and other files."""
    folder = tmp_path_factory.mktemp("archive") / "in"
    (folder / "2024").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "2024/b.png", "2024/c.bmp")):
        Image.fromarray(draw(seed, 40, 50)).save(folder / name)
    shutil.copy(folder / "2024" / "b.png", folder / "2024" / "c.png")  # both this and c.bmp would become c.png
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    shots = [np.roll(draw(10 + number, 48, 64), frame, 1) for number in range(2) for frame in range(12)]
    write_film(folder / "2024" / "film.mp4", shots, gop=7)
    return folder


@pytest.fixture(autouse=True)
def cartoonizers(monkeypatch):
    """Let the worker draw in this process, and parts be short; lists the threads that each cartoonizer was to use."""
    loaded = []

    @contextlib.contextmanager
    def cartoonizer_of_this_process(model, method, drawing_size, on_progress, num_threads):
        cartoonizer = Cartoonizer.load(model, method, on_progress, drawing_size)
        cartoonizer.load = lambda: loaded.append(num_threads)
        yield cartoonizer

    monkeypatch.setattr(worker, "isolated_cartoonizer", cartoonizer_of_this_process)
    monkeypatch.setattr(film_parts, "_FEWEST_FRAMES", 10)
    worker.worker_of.cache_clear()
    return loaded


@pytest.fixture
def run(light_path, tmp_path):
    def run(source, *flags, output=tmp_path / "out"):
        status = cartoonize_archive.main(
            ["archive", f"--input={source}", f"--output_dir={output}", f"--model={light_path}", *map(str, flags)]
        )
        return status, output

    return run


def _names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


RESULTS = {"a.png", "2024/b.png", "2024/c.png", "2024/c.bmp.png", "2024/film.mp4"}


def test_a_tree_is_drawn(archive, run, light_path, tmp_path, capsys, cartoonizers):
    status, output = run(archive, "--format=png", "--num_threads=2")
    assert status == 0 and cartoonizers == [2]
    assert _names(output) == RESULTS | {"report.json"}
    cartoonizer = Cartoonizer.load(light_path)
    for name in ("a.png", "2024/b.png"):
        expected = cartoonizer(pictures.read_picture(archive / name))
        np.testing.assert_array_equal(pictures.read_picture(output / name), expected)
    film.draw_film(archive / "2024" / "film.mp4", tmp_path / "whole.mp4", cartoonizer.film())
    drawn, whole = Seen(output / "2024" / "film.mp4"), Seen(tmp_path / "whole.mp4")
    assert drawn.times == whole.times
    np.testing.assert_allclose(drawn.pictures.mean((1, 2)), whole.pictures.mean((1, 2)), atol=2)

    report = json.loads((output / "report.json").read_text())
    assert (report["pictures_drawn"], report["films_drawn"], report["skipped"], report["no_picture"]) == (4, 1, 1, 1)
    assert set(report["problems"]) == {"broken.png", "notes.txt"}
    assert report["problems"]["broken.png"].startswith("broken.png: damaged picture")
    assert report["worker_seconds_per_picture"]["most"] > 0 and report["pictures_per_second"] > 0
    printed = capsys.readouterr().out
    assert "Drew 4 pictures and 1 film in" in printed and "skipped 2, 1 of them no picture" in printed

    kept = {name: (output / name).stat().st_mtime_ns for name in RESULTS}
    (output / "a.png").unlink()
    assert run(archive, "--format=png")[0] == 0
    assert {name for name in RESULTS if (output / name).stat().st_mtime_ns != kept[name]} == {"a.png"}
    assert "Drew 1 picture and 0 films" in (printed := capsys.readouterr().out) and "kept 4 existing" in printed
    assert run(archive, "--format=png", "--overwrite")[0] == 0
    assert all((output / name).stat().st_mtime_ns != kept[name] for name in RESULTS)


@pytest.mark.slow
def test_parts_of_an_interrupted_film_are_not_drawn_again(archive, run, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device", "out/film.mp4")

    with monkeypatch.context() as interrupted:
        interrupted.setattr(film_parts, "join_parts", full_disk)
        assert run(archive / "2024" / "*.mp4")[0] == 1
    assert len([path for path in (tmp_path / "out" / ".archive").rglob("*.mp4") if path.is_file()]) == 2
    monkeypatch.setattr(film_parts, "draw_part", pytest.fail)
    status, output = run(archive / "2024" / "*.mp4")
    assert status == 0 and _names(output) == {"film.mp4", "report.json"}


def test_parts_of_another_style_are_not_used(archive, run, tmp_path):
    order = worker.WorkOrder("in", "out", cartoonize_archive.DrawConfig())
    others = [
        worker.WorkOrder("in", "out", cartoonize_archive.DrawConfig(strength=0.5)),
        worker.WorkOrder("elsewhere", "out", cartoonize_archive.DrawConfig()),
    ]
    file, part = listing.File("film.mp4", "film.mp4", 10), film_parts.Part(0, 10, 1)
    names = {other.part_file(file, part) for other in (order, *others)} | {order.part_file(file._replace(size=9), part)}
    assert len(names) == 4
    assert order.part_file(file, part) == worker.WorkOrder(*("in", "out"), order.config, 3).part_file(file, part)


def test_a_part_that_cannot_be_drawn_costs_its_film_alone(archive, run, monkeypatch):
    def draw_part(film, part, *_):
        if part.start:
            raise ValueError("a surprise")

    monkeypatch.setattr(film_parts, "draw_part", draw_part)
    monkeypatch.setattr(worker.ArchiveWorker, "_new_file", lambda self, name: contextlib.nullcontext(name))
    status, output = run(archive / "2024" / "film.*")
    assert status == 1
    assert "a surprise" in json.loads((output / "report.json").read_text())["problems"]["film.mp4"]


@pytest.mark.slow
def test_through_beams_file_systems(archive, run, tmp_path, monkeypatch):
    shutil.copytree(archive, tmp_path / "shelf" / "album")
    monkeypatch.setattr(Shelf, "place", str(tmp_path / "shelf"))
    assert run("shelf://album", "--format=png", output="shelf://drawn")[0] == 0
    assert _names(tmp_path / "shelf" / "drawn") == RESULTS | {"report.json"}
    report = json.loads((tmp_path / "shelf" / "drawn" / "report.json").read_text())
    assert report["problems"]["broken.png"].startswith("broken.png: damaged picture")

    names = tmp_path / "names.txt"
    names.write_text("a.png\ngone.png\n2024/film.mp4\n")
    assert run("shelf://album", f"--names_file={names}", output="shelf://listed")[0] == 0
    assert _names(tmp_path / "shelf" / "listed") == {"a.png", "2024/film.mp4", "report.json"}
    report = json.loads((tmp_path / "shelf" / "listed" / "report.json").read_text())
    assert list(report["problems"]) == ["gone.png"] and "cannot be read" in report["problems"]["gone.png"]


def test_a_worker_that_may_start_no_process(archive, run, monkeypatch, capsys):
    """Dask's, by default."""
    monkeypatch.setattr(worker.multiprocessing, "current_process", lambda: SimpleNamespace(daemon=True))
    assert run(archive / "a.png*")[0] == 1
    assert "set DASK_DISTRIBUTED__WORKER__DAEMON=False" in capsys.readouterr().err


def test_a_killed_runs_unfinished_files_are_removed(archive, run, tmp_path, monkeypatch):
    unfinished = tmp_path / "out" / ".a.99999999.abcdefgh0.partial.png"
    unfinished.parent.mkdir()
    unfinished.write_text("half")
    assert run(archive / "*.png")[0] == 0
    assert _names(tmp_path / "out") == {"a.png", "report.json"}


def test_wildcards_and_lists(archive, tmp_path):
    assert listing.split_pattern("gs://bucket/photos/2024-*/**.jpg") == ("gs://bucket/photos", "2024-*/**.jpg")
    assert listing.split_pattern("/photos/") == ("/photos", "") and listing.split_pattern("/*.jpg") == ("/", "*.jpg")

    def found(pattern, names=""):
        return [file.source for file in listing.find_files(str(pattern), names, "")[1]]

    assert found(archive / "*.png") == ["a.png", "broken.png"]
    assert found(archive / "**.png") == ["2024/b.png", "2024/c.png", "a.png", "broken.png"]
    assert found(archive / "20*" / "[bc].png") == ["2024/b.png", "2024/c.png"]
    names = tmp_path / "names.txt"
    names.write_text(f"a.png\n{archive}/2024/b.png\n\na.png\n")
    assert found(archive, str(names)) == ["a.png", "2024/b.png"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--input=nowhere"], "nowhere: no such folder"),
        (["--input={archive}/*.heic"], r"--input=.*heic: no file has such a name"),
        (["--input={archive}", "--names_file=none.txt"], "--names_file=none.txt: no such file"),
        (["--input={archive}", "--output_dir={archive}/out"], "--output_dir=.*lies in --input="),
        (["--input={archive}", "--model=none.keras"], "none.keras: no such file"),
        (["--input={archive}/a*", "--", "--direct_running_mode=none"], "--runner=DirectRunner"),
        (["--input={archive}/a*", "--", "--nonsense=3"], "--runner=DirectRunner: --nonsense is no option of its"),
        (["--input={archive}/a*", "photo.jpg"], "--runner=DirectRunner: photo.jpg is no option of its"),
        (["--input={archive}/n*"], "nothing could be drawn; .*report.json says why"),
    ],
)
def test_wrong_input(archive, light_path, tmp_path, capsys, flags, message):
    given = [flag.replace("{archive}", str(archive)) for flag in flags]
    defaults = [f"--output_dir={tmp_path}/out", f"--model={light_path}"]
    assert cartoonize_archive.main(["archive", *defaults, *given]) == 1
    captured = capsys.readouterr()
    assert re.search(message, captured.err)
