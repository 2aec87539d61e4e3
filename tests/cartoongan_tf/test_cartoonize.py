"""`cartoonize` as a program: pictures, folders, films and streams, and its command line."""

import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.inference.file_options import RenderOptions
from cartoongan_tf.media import pictures
from tests.films import NUM_FRAMES, Seen, make_film
from tests.helpers import REPOSITORY, draw, run_cartoonize

pytestmark = pytest.mark.usefixtures("load_once")


def test_the_cartoon_lies_beside_the_photo(generator_path, tmp_path, capsys):
    for name in ("photo.jpg", "my.photo.JPEG", "photo.png", "photo.webp", "photo.tif", "photo.bmp"):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / name
        Image.fromarray(draw(0, 41, 30)).save(path)
        before = path.read_bytes()
        assert run_cartoonize(generator_path, path) == 0
        cartoon = path.with_name(f"{path.stem}-cartoon{path.suffix}")
        assert pictures.read_picture(cartoon).shape == (41, 30, 3), name
        assert str(cartoon) in capsys.readouterr().out
        assert path.read_bytes() == before and len(os.listdir(folder)) == 2, name


def test_unusual_pictures(generator_path, tmp_path):
    """A format that is only read, one pixel, a name that is not UTF-8, and a photo stored on its side."""
    odd_name = os.fsdecode(b"caf\xe9")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw(0)).save(tmp_path / "photo.ppm")
    pictures.write_picture(tmp_path / "dot.png", np.full((1, 1, 3), 200, np.uint8))
    pictures.write_picture(tmp_path / f"{odd_name}.jpg", draw(0, 41, 30))
    Image.fromarray(draw(0, 20, 40)).save(tmp_path / "turned.jpg", exif=exif)
    names = ("photo.ppm", "dot.png", f"{odd_name}.jpg", "turned.jpg")
    assert run_cartoonize(generator_path, *(tmp_path / name for name in names)) == 0
    for name, shape in (
        ("photo-cartoon.png", (60, 80, 3)),
        ("dot-cartoon.png", (1, 1, 3)),
        (f"{odd_name}-cartoon.jpg", (41, 30, 3)),
        ("turned-cartoon.jpg", (40, 20, 3)),
    ):
        assert pictures.read_picture(tmp_path / name).shape == shape, name
    with Image.open(tmp_path / "turned-cartoon.jpg") as cartoon:
        assert cartoon.getexif().get(0x0112, 1) == 1


def test_every_option_of_pictures_arrives(generator_path, photo, cartoonizer):
    target = photo.with_name("photo-cartoon.png")
    for flags, options in (
        ([], {}),
        (["--strength=0.5"], {"strength": 0.5}),
        (["--keep_colors"], {"keep_colors": True}),
        (["--compare"], {"compare": True}),
        (["--long_side=40"], {"long_side": 40}),
    ):
        assert run_cartoonize(generator_path, photo, "--overwrite", *flags) == 0
        expected = RenderOptions(**options).render_picture(cartoonizer, pictures.read(photo))
        np.testing.assert_array_equal(pictures.read_picture(target), expected.frames[0], str(flags))
    sizes = []
    for quality in (30, 95):
        assert run_cartoonize(generator_path, photo, "--format=jpg", f"--quality={quality}", "--overwrite") == 0
        sizes.append(photo.with_name("photo-cartoon.jpg").stat().st_size)
    assert sizes[0] < sizes[1] / 1.5
    assert run_cartoonize(generator_path, photo, "--max_pixels=4799", "--overwrite") == 1
    assert run_cartoonize(generator_path, photo, "--max_pixels=4800", "--overwrite") == 0


def test_the_method_arrives(generator_path, photo, cartoonizers):
    for method in ("whole", "banded"):
        assert run_cartoonize(generator_path, photo, f"--method={method}", "--overwrite") == 0
        assert (generator_path, method, 0) in cartoonizers


def test_format_decides_for_all_pictures(generator_path, photo):
    for format, kind in (("jpg", "JPEG"), ("webp", "WEBP"), ("tiff", "TIFF"), ("bmp", "BMP")):
        assert run_cartoonize(generator_path, photo, f"--format={format}") == 0
        with Image.open(photo.with_name(f"photo-cartoon.{format}")) as drawn:
            assert drawn.format == kind and drawn.size == (80, 60)
    assert run_cartoonize(generator_path, photo.parent, "--format=bmp", f"--output={photo.parent}/all") == 0
    assert (photo.parent / "all" / "photo.bmp").exists()


def test_alpha_is_kept_where_the_format_has_it(generator_path, photo):
    pictures.write_picture(photo, np.dstack([draw(0), np.full((60, 80), 99, np.uint8)]))
    assert run_cartoonize(generator_path, photo) == 0
    assert pictures.read(photo.with_name("photo-cartoon.png")).frames[0].shape == (60, 80, 4)
    assert run_cartoonize(generator_path, photo, f"--output={photo.parent}/a.jpg") == 0
    assert pictures.read(photo.parent / "a.jpg").frames[0].shape == (60, 80, 3)


def test_every_frame_of_an_animation_is_drawn(generator_path, tmp_path, cartoonizer):
    frames = [np.roll(draw(0), 8 * index, axis=1) for index in range(4)]
    for suffix in (".gif", ".webp"):
        path = tmp_path / f"a{suffix}"
        pictures.write(path, pictures.Picture(frames, durations_ms=[70] * 4, loop=0))
        assert run_cartoonize(generator_path, path, "--steadiness=0", "--format=png", "--overwrite") == 0
        cartoon = pictures.read(tmp_path / "a-cartoon.png")
        assert cartoon.durations_ms == [70] * 4 and cartoon.loop == 0
        for frame, photo in zip(cartoon.frames, pictures.read(path).frames, strict=True):
            expected = cartoonizer(np.ascontiguousarray(photo[..., :3]))
            np.testing.assert_allclose(frame[..., :3].astype(int), expected, atol=1)
        assert run_cartoonize(generator_path, path) == 0
        assert len(pictures.read(tmp_path / f"a-cartoon{suffix}").frames) == 4
        assert run_cartoonize(generator_path, path, "--format=jpg") == 1


def test_a_film_is_drawn_with_its_sound(generator_path, tmp_path, monkeypatch):
    clip = make_film(tmp_path / "clip.mp4")
    batch_sizes = []
    render_frames = RenderOptions.render_frames

    def recorded(self, draw, frames):
        assert self.steadiness == 0.5
        batch_sizes.append(len(frames))
        return render_frames(self, draw, frames)

    monkeypatch.setattr(RenderOptions, "render_frames", recorded)
    flags = ["--compare", "--long_side=32", "--batch_size=3", "--steadiness=0.5"]
    assert run_cartoonize(generator_path, clip, *flags) == 0
    before, after = Seen(clip), Seen(tmp_path / "clip-cartoon.mp4")
    assert after.pictures.shape == (NUM_FRAMES, 24, 64, 3)
    assert after.times == before.times
    assert [len(sound) for sound in after.sound] == [len(sound) for sound in before.sound]
    assert np.abs(after.pictures[:, :, 32:] - after.pictures[:, :, :32]).mean() > 5
    assert set(batch_sizes) == {3, 2}
    size = (tmp_path / "clip-cartoon.mp4").stat().st_size
    assert run_cartoonize(generator_path, clip, *flags) == 1  # it already exists
    assert run_cartoonize(generator_path, clip, *flags, "--overwrite", "--quality=20") == 0
    assert (tmp_path / "clip-cartoon.mp4").stat().st_size < 0.8 * size


def test_a_bad_film_is_named_before_the_model_is_loaded_and_stops_no_picture(generator_path, photo, capsys):
    film = photo.with_name("bad.mp4")
    film.write_text("hello")
    assert run_cartoonize(generator_path, film, photo) == 1
    assert "bad.mp4" in capsys.readouterr().err and photo.with_name("photo-cartoon.png").exists()
    assert run_cartoonize("none.keras", film) == 1
    assert "bad.mp4" in (error := capsys.readouterr().err) and "none.keras" not in error


def test_standard_input_and_output(generator_path, photo, cartoonizer):
    """In a process of its own: bytes in, bytes out, and nothing else there."""
    command = [sys.executable, "-m", "cartoongan_tf.cartoonize", f"--model={generator_path}", "-"]
    done = subprocess.run(command, input=photo.read_bytes(), capture_output=True, cwd=REPOSITORY, check=True)
    with Image.open(io.BytesIO(done.stdout)) as cartoon:
        assert cartoon.format == "PNG"
        np.testing.assert_allclose(np.asarray(cartoon).astype(int), cartoonizer(draw(0)), atol=1)


def test_streams_that_are_no_pictures_write_nothing(generator_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"hello")))
    assert run_cartoonize(generator_path, "-") == 1
    captured = capsys.readouterr()
    assert "standard input" in captured.err and not captured.out


def test_formats_of_streams(generator_path, photo, monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(photo.read_bytes())))
    assert run_cartoonize(generator_path, "-", "--format=webp") == 0
    with Image.open(io.BytesIO(capsysbinary.readouterr().out)) as cartoon:
        assert cartoon.format == "WEBP" and cartoon.size == (80, 60)


def test_existing_files_are_safe(generator_path, photo):
    """A photo is never overwritten, and a cartoon only with --overwrite."""
    before = photo.read_bytes()
    link = photo.parent / "link.png"
    link.symlink_to(photo)
    other = photo.with_name("photo-cartoon.png")
    shutil.copy(photo, other)
    for overwrite in ([], ["--overwrite"]):
        assert run_cartoonize(generator_path, photo, f"--output={photo}", *overwrite) == 1
        assert run_cartoonize(generator_path, photo.parent, f"--output={photo.parent}", *overwrite) == 1
        assert run_cartoonize(generator_path, photo, f"--output={link}", *overwrite) == 1
        assert run_cartoonize(generator_path, photo, other, *overwrite) == 1
    assert run_cartoonize(generator_path, photo) == 1
    assert photo.read_bytes() == other.read_bytes() == before
    assert run_cartoonize(generator_path, photo, "--overwrite") == 0
    assert other.read_bytes() != before and photo.read_bytes() == before


def test_refusals_name_what_is_wrong(generator_path, photo, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    for arguments, status, named in (
        ([], 2, "photo.jpg"),
        (["none.jpg"], 1, "none.jpg: "),
        ([photo, "--output=drawn.tga"], 1, "drawn.tga: "),
        ([tmp_path / "empty"], 1, "empty: "),
        ([text], 1, "text.jpg: "),
        ([photo, f"--output={text}/drawn.png"], 1, "text.jpg is not a folder"),
        ([photo, "--strength=2"], 2, "--strength=2"),
        ([photo, "--quality=0"], 2, "--quality=0"),
        ([photo, "--contact_sheet"], 1, "--contact_sheet: "),
        ([photo, "--max_pixels=100"], 1, "--max_pixels"),
        ([photo, "--model=none.keras"], 1, "none.keras: "),
        ([photo, "--model=papper"], 1, "(ink, noir, pepper)"),
        ([photo, "--style=ink"], 2, "--style=ink"),
        ([photo, "--all_styles"], 2, "--all_styles"),
        ([photo, "--full_size", "--drawing_size=9"], 2, "--drawing_size=9"),
        (["clip.mp4", "--output=-"], 1, "--output=-"),
        ([photo, text, "--output=c.png"], 1, "--output=c.png"),
    ):
        assert run_cartoonize(generator_path, *arguments) == status, arguments
        assert named in capsys.readouterr().err, arguments
    assert sorted(os.listdir(tmp_path)) == ["empty", "photo.png", "text.jpg"]
