import gc
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.progress import PictureBar
from cartoongan_tf.inference import blending, file_pipeline
from cartoongan_tf.inference.file_options import FileOptions, RenderOptions
from cartoongan_tf.inference.file_pipeline import cartoonize_files
from cartoongan_tf.inference.jobs import STREAM, Job
from cartoongan_tf.media import pictures
from cartoongan_tf.media.pictures import Picture
from tests.films import NUM_FRAMES, Seen, destroy, make_film
from tests.helpers import draw

DEFAULT_RENDER = RenderOptions()
DEFAULT_FILES = FileOptions()


def _render(cartoonizer, *frames, durations_ms=(), **options):
    picture = Picture(list(frames), durations_ms=list(durations_ms))
    return RenderOptions(**options).render_picture(cartoonizer, picture).frames


def test_strength_and_colours(cartoonizer, cartoon):
    photo = draw(0)
    for options, expected in (
        ({}, cartoon),
        ({"strength": 0}, photo),
        ({"strength": 0.5}, blending.blend(photo, cartoon, 0.5)),
        ({"keep_colors": True}, blending.keep_colors(photo, cartoon)),
    ):
        np.testing.assert_array_equal(_render(cartoonizer, photo, **options)[0], expected, str(options))


def test_compare_shows_the_photo_to_the_left(cartoonizer, cartoon):
    np.testing.assert_array_equal(_render(cartoonizer, draw(0), compare=True)[0], np.hstack([draw(0), cartoon]))


def test_long_side_shrinks_first(cartoonizer):
    small = pictures.shrink(draw(0), 40)
    assert small.shape == (30, 40, 3)
    np.testing.assert_array_equal(_render(cartoonizer, draw(0), long_side=40)[0], cartoonizer(small))
    both = _render(cartoonizer, draw(0), long_side=40, compare=True)[0]
    np.testing.assert_array_equal(both, np.hstack([small, cartoonizer(small)]))


def test_alpha_is_kept(cartoonizer, cartoon):
    alpha = np.mgrid[0:60, 0:80][1].astype(np.uint8) * 3 + 10
    photo = np.dstack([draw(0), alpha])
    np.testing.assert_array_equal(_render(cartoonizer, photo)[0], np.dstack([cartoon, alpha]))
    both = _render(cartoonizer, photo, compare=True)[0]
    np.testing.assert_array_equal(both, np.hstack([photo, np.dstack([cartoon, alpha])]))


def test_animations_are_steadied_and_pages_are_not(cartoonizer):
    """Frames alike but for grain: of an animation they come nearer to each other."""
    rng = np.random.default_rng(0)
    frames = [(draw(0) + rng.normal(0, 2, (60, 80, 3))).clip(0, 255).astype(np.uint8) for _ in range(3)]
    by_themselves = [cartoonizer(frame) for frame in frames]

    def change(cartoons):
        return np.square(np.diff(np.stack(cartoons).astype(int), axis=0)).mean()

    pages = _render(cartoonizer, *frames)
    animation = _render(cartoonizer, *frames, durations_ms=[70] * 3)
    np.testing.assert_array_equal(pages, by_themselves)
    assert change(animation) < 0.5 * change(pages)
    unsteadied = _render(cartoonizer, *frames, durations_ms=[70] * 3, steadiness=0)
    np.testing.assert_allclose(np.stack(unsteadied).astype(int), by_themselves, atol=1)
    mixed = _render(cartoonizer, *frames, durations_ms=[70] * 3, steadiness=0, strength=0)
    np.testing.assert_array_equal(mixed, frames)


def test_streams_are_read_and_written(monkeypatch, capsysbinary):
    content = pictures.encode(Picture([draw(0)]), ".png")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    picture = FileOptions().read(Job(STREAM, STREAM))
    np.testing.assert_array_equal(picture.frames[0], draw(0))
    for suffix, kind in (("", "PNG"), (".webp", "WEBP")):
        FileOptions(suffix=suffix).write(Job(STREAM, STREAM), picture)
        with Image.open(io.BytesIO(capsysbinary.readouterr().out)) as written:
            assert written.format == kind and written.size == (80, 60)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello")))
    with pytest.raises(InputError, match="standard input: "):
        FileOptions().read(Job(STREAM, STREAM))


def test_limits_and_quality_reach_the_files(tmp_path, monkeypatch):
    job = Job(tmp_path / "a.png", tmp_path / "b.jpg")
    pictures.write_picture(job.source, draw(0))
    sizes = []
    for quality in (30, 95):
        FileOptions(quality=quality).write(job, Picture([draw(0)]))
        sizes.append(job.target.stat().st_size)
    assert sizes[0] < sizes[1] / 1.5
    with pytest.raises(InputError, match=r"a\.png.*--max_pixels"):
        FileOptions(max_pixels=100).read(job)
    assert FileOptions(max_pixels=60 * 80).read(job).frames[0].shape == (60, 80, 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(job.source.read_bytes())))
    with pytest.raises(InputError, match=r"standard input.*--max_pixels"):
        FileOptions(max_pixels=100).read(Job(STREAM, STREAM))


def _cartoonize(cartoonizer, jobs, render=DEFAULT_RENDER, files=DEFAULT_FILES):
    num_pictures = sum(not job.is_film for job in jobs)
    return cartoonize_files(jobs, cartoonizer, render, files, PictureBar(num_pictures))


def test_files_of_all_kinds_are_written_and_bad_ones_reported(cartoonizer, cartoon, tmp_path, capsys):
    jobs = [
        Job(tmp_path / name, tmp_path / "out" / target)
        for name, target in (
            ("clip.mp4", "clip.mp4"),
            ("a.png", "a.png"),
            ("text.jpg", "text.jpg"),
            ("wide.png", "wide.webp"),
            ("b.png", "b.bmp"),
        )
    ]
    film, photo, text, wide, other = jobs
    make_film(film.source)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(draw(0)).save(photo.source, icc_profile=profile)
    text.source.write_text("hello")
    pictures.write_picture(wide.source, np.full((1, 16_500, 3), 9, np.uint8))
    pictures.write_picture(other.source, draw(0))
    problems = _cartoonize(cartoonizer, jobs)
    assert set(problems) == {text, wide}
    assert str(text.source) in str(problems[text]) and str(wide.target) in str(problems[wide])
    error = capsys.readouterr().err
    assert f"Skipped {text.source}" in error and f"Skipped {wide.target}" in error
    assert "b.png, 4 of 4" in error and "clip.mp4: " in error  # the bars
    written = pictures.read(photo.target)
    np.testing.assert_array_equal(written.frames[0], cartoon)
    assert written.icc_profile == profile
    np.testing.assert_array_equal(pictures.read_picture(other.target), cartoon)
    assert len(Seen(film.target).frames) == NUM_FRAMES


def test_what_cannot_be_drawn_is_named(tmp_path):
    def refuse(*_, **__):
        raise InputError("too large")

    pictures.write_picture(tmp_path / "a.png", draw(0))
    job = Job(tmp_path / "a.png", tmp_path / "b.png")
    assert str(_cartoonize(refuse, [job])[job]) == f"{job.source}: too large"
    assert not job.target.exists()


def test_what_nobody_foresaw_costs_one_file(cartoonizer, tmp_path, capsys):
    def draw_or_fail(photos, **options):
        assert photos.shape[1] != 50, "an assertion\nof a library"
        return cartoonizer(photos, **options)

    jobs = [Job(tmp_path / f"{height}.png", tmp_path / f"drawn-{height}.png") for height in (40, 50, 60)]
    for job in jobs:
        pictures.write_picture(job.source, draw(0, int(job.source.stem), 40))
    problems = _cartoonize(draw_or_fail, jobs)
    assert list(problems) == [jobs[1]] and jobs[2].target.exists()
    assert f"Skipped {jobs[1].source}: AssertionError: an assertion; " in capsys.readouterr().err


def test_a_full_disk_ends_the_work(cartoonizer, tmp_path, monkeypatch):
    def write(*_):
        raise OSError(28, "No space left on device")

    pictures.write_picture(tmp_path / "a.png", draw(0))
    monkeypatch.setattr(pictures, "write", write)
    with pytest.raises(OSError, match="No space left"):
        _cartoonize(cartoonizer, [Job(tmp_path / "a.png", tmp_path / "b.png")])
    gc.collect()  # the error holds the threads that read and write


def test_the_errors_of_skipped_pictures_hold_no_pixels(cartoonizer, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        pictures.write_picture(tmp_path / name, draw(0, 300, 400))
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    problems = _cartoonize(cartoonizer, [Job(tmp_path / name, tmp_path / f"{name}.png") for name in ("a.jpg", "b.jpg")])
    assert len(problems) == 2
    for problem in problems.values():
        assert problem.__traceback__ is None and problem.__cause__ is None and problem.__context__ is None


def test_a_film_is_cartoonized_with_its_options(cartoonizer, tmp_path):
    job = Job(make_film(tmp_path / "clip.mp4"), tmp_path / "out.mp4")
    batch_sizes = []

    class Recorder:
        def film(self, *options):
            film = cartoonizer.film(*options)
            assert options == (0.5, 0.5, 0.8, True)

            def record(frames):
                batch_sizes.append(len(frames))
                return film(frames)

            return record

    render = RenderOptions(long_side=32, compare=True, steadiness=0.5, strength=0.8, keep_colors=True)
    sizes = []
    for quality in (20, 95):
        assert not _cartoonize(Recorder(), [job], render, FileOptions(batch_size=3, quality=quality))
        sizes.append(job.target.stat().st_size)
    assert sizes[0] < 0.8 * sizes[1]
    assert set(batch_sizes) == {3, 2}
    before, after = Seen(job.source), Seen(job.target)
    assert after.pictures.shape == (NUM_FRAMES, 24, 64, 3)
    assert after.times == before.times
    assert [len(sound) for sound in after.sound] == [len(sound) for sound in before.sound]
    assert np.abs(after.pictures[:, :, 32:] - after.pictures[:, :, :32]).mean() > 3


def test_what_a_film_lacks_is_reported(cartoonizer, tmp_path, capsys):
    damaged = make_film(tmp_path / "damaged.mp4")
    destroy(damaged, {7})
    whole = make_film(tmp_path / "whole.mkv", codec="mjpeg").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    jobs = [Job(damaged, tmp_path / "a.mp4"), Job(tmp_path / "cut.mkv", tmp_path / "b.mkv")]
    assert not _cartoonize(cartoonizer, jobs)
    remarks = [line for line in capsys.readouterr().err.splitlines() if line.startswith(str(tmp_path))]
    assert len(remarks) == 2
    assert remarks[0].startswith(f"{damaged}: 1 broken frames")
    assert remarks[1].startswith(f"{tmp_path}/cut.mkv: ") and "cut short" in remarks[1]
    assert len(Seen(tmp_path / "a.mp4").frames) == NUM_FRAMES


def test_bad_films_are_found_without_a_model(tmp_path, capsys):
    (tmp_path / "bad.mp4").write_text("hello")
    bad = Job(tmp_path / "bad.mp4", tmp_path / "out.mp4")
    good = Job(make_film(tmp_path / "good.mp4"), tmp_path / "good-cartoon.mp4")
    problems = file_pipeline.find_bad_films([bad, good, Job(Path("none.png"), Path("a.png"))])
    assert set(problems) == {bad} and "bad.mp4" in str(problems[bad])
    assert f"Skipped {bad.source}" in capsys.readouterr().err
