"""What `cartoonize` makes of its options, of animations, streams and films, and of disks that are full."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf import Cartoonizer, cartoonize
from cartoongan_tf.inference import blending, file_pipeline
from cartoongan_tf.media import pictures
from tests.helpers import REPOSITORY, draw


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    pictures.write_picture(path, draw(0))
    return path


@pytest.fixture
def cartoon(generator_path):
    """What the photo becomes without any option."""
    return Cartoonizer.load(generator_path)(draw(0))


def _run(generator_path, *arguments):
    return cartoonize.main(["cartoonize", f"--model={generator_path}", *map(str, arguments)])


def _draw(generator_path, photo, *options):
    """The picture that becomes of a photo."""
    assert _run(generator_path, photo, "--overwrite", *options) == 0
    return pictures.read(photo.with_name("photo-cartoon.png")).frames[0]


def test_strength_and_colours(generator_path, photo, cartoon):
    np.testing.assert_array_equal(_draw(generator_path, photo), cartoon)
    np.testing.assert_array_equal(_draw(generator_path, photo, "--strength=0"), draw(0))
    half = _draw(generator_path, photo, "--strength=0.5")
    np.testing.assert_array_equal(half, blending.blend(draw(0), cartoon, 0.5))
    kept = _draw(generator_path, photo, "--keep_colors")
    np.testing.assert_array_equal(kept, blending.keep_colors(draw(0), cartoon))


def test_compare_shows_the_photo_to_the_left(generator_path, photo, cartoon):
    both = _draw(generator_path, photo, "--compare")
    np.testing.assert_array_equal(both, np.hstack([draw(0), cartoon]))


def test_long_side_shrinks_before_drawing(generator_path, photo):
    drawn = _draw(generator_path, photo, "--long_side=40")
    np.testing.assert_array_equal(drawn, Cartoonizer.load(generator_path)(pictures.shrink(draw(0), 40)))


def test_alpha_is_kept(generator_path, photo, cartoon):
    alpha = np.mgrid[0:60, 0:80][1].astype(np.uint8) * 3 + 10
    pictures.write_picture(photo, np.dstack([draw(0), alpha]))
    drawn = _draw(generator_path, photo)
    np.testing.assert_array_equal(drawn, np.dstack([cartoon, alpha]))
    assert _draw(generator_path, photo, "--compare").shape == (60, 160, 4)
    assert _run(generator_path, photo, f"--output={photo.parent}/a.jpg") == 0
    assert pictures.read(photo.parent / "a.jpg").frames[0].shape == (60, 80, 3)


@pytest.mark.parametrize("format, kind", [("jpg", "JPEG"), ("webp", "WEBP"), ("tiff", "TIFF"), ("bmp", "BMP")])
def test_format_decides_for_all_pictures(generator_path, photo, format, kind):
    assert _run(generator_path, photo, f"--format={format}") == 0
    with Image.open(photo.with_name(f"photo-cartoon.{format}")) as drawn:
        assert drawn.format == kind and drawn.size == (80, 60)
    assert _run(generator_path, photo.parent, f"--format={format}", f"--output={photo.parent}/all") == 0
    assert (photo.parent / "all" / f"photo.{format}").exists()


def test_quality(generator_path, photo):
    sizes = []
    for quality in (30, 95):
        assert _run(generator_path, photo, "--format=jpg", f"--quality={quality}", "--overwrite") == 0
        sizes.append(photo.with_name("photo-cartoon.jpg").stat().st_size)
    assert sizes[0] < sizes[1] / 1.5


def test_profiles_go_along(generator_path, photo):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(draw(0)).save(photo, icc_profile=profile)
    assert _run(generator_path, photo) == 0
    assert pictures.read(photo.with_name("photo-cartoon.png")).icc_profile == profile


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_every_frame_of_an_animation_is_drawn(generator_path, tmp_path, suffix):
    frames = [np.roll(draw(0), 8 * index, axis=1) for index in range(4)]
    pictures.write(tmp_path / f"a{suffix}", pictures.Picture(frames, durations_ms=[70] * 4, loop=0))
    assert _run(generator_path, tmp_path / f"a{suffix}", "--steadiness=0", "--format=png") == 0
    drawn, read = (pictures.read(tmp_path / name) for name in ("a-cartoon.png", f"a{suffix}"))
    cartoonizer = Cartoonizer.load(generator_path)
    assert drawn.durations_ms == [70] * 4 and drawn.loop == 0
    for frame, original in zip(drawn.frames, read.frames, strict=True):
        expected = cartoonizer(np.ascontiguousarray(original[..., :3]))
        np.testing.assert_allclose(frame[..., :3].astype(int), expected, atol=1)
    assert _run(generator_path, tmp_path / f"a{suffix}") == 0
    assert len(pictures.read(tmp_path / f"a-cartoon{suffix}").frames) == 4
    assert _run(generator_path, tmp_path / f"a{suffix}", "--format=jpg") == 1


def test_animations_are_steadied_and_pages_are_not(generator_path, tmp_path):
    """Frames alike but for grain: of an animation they come nearer to each other."""
    rng = np.random.default_rng(0)
    frames = [(draw(0) + rng.normal(0, 2, (60, 80, 3))).clip(0, 255).astype(np.uint8) for _ in range(3)]
    pictures.write(tmp_path / "a.png", pictures.Picture(frames, durations_ms=[70] * 3))
    pictures.write(tmp_path / "b.tif", pictures.Picture(frames))
    changes = []
    for name in ("a.png", "b.tif"):
        assert _run(generator_path, tmp_path / name) == 0
        drawn = np.stack(pictures.read(tmp_path / f"{name[0]}-cartoon{name[1:]}").frames).astype(int)
        changes.append(np.square(np.diff(drawn, axis=0)).mean())
    assert changes[0] < 0.5 * changes[1]
    np.testing.assert_allclose(drawn[2], Cartoonizer.load(generator_path)(frames[2]), atol=1)


def test_standard_input_and_output(generator_path, photo, cartoon):
    """In a process of its own: bytes in, bytes out, and nothing else there."""
    command = [sys.executable, "-m", "cartoongan_tf.cartoonize", f"--model={generator_path}", "-"]
    for more, kind in ([], "PNG"), (["--format=webp"], "WEBP"):
        done = subprocess.run(
            [*command, *more], input=photo.read_bytes(), capture_output=True, cwd=REPOSITORY, check=True
        )
        with Image.open(io.BytesIO(done.stdout)) as drawn:
            assert drawn.format == kind and drawn.size == (80, 60)
            if kind == "PNG":
                np.testing.assert_allclose(np.asarray(drawn).astype(int), cartoon, atol=1)
    done = subprocess.run(command, input=b"hello", capture_output=True, cwd=REPOSITORY)
    assert done.returncode == 1 and b"standard input: not a picture" in done.stderr and not done.stdout


def test_a_folder_that_was_cut_off_goes_on(generator_path, tmp_path, capsys):
    album = tmp_path / "album"
    for index in range(3):
        pictures.write_picture(album / f"{index}.png", draw(index))
    assert _run(generator_path, album) == 0
    drawn = tmp_path / "album-cartoon"
    (drawn / "0.png").write_text("there already")
    (drawn / "1.png").unlink()
    capsys.readouterr()
    assert _run(generator_path, album) == 0
    assert "kept 2 that were there" in capsys.readouterr().out
    assert (drawn / "0.png").read_text() == "there already" and (drawn / "1.png").exists()
    assert _run(generator_path, album) == 0
    assert "Nothing was left to draw; kept 3" in capsys.readouterr().out
    assert _run(generator_path, album, "--overwrite") == 0
    assert pictures.read_picture(drawn / "0.png").shape == (60, 80, 3)


def test_the_contact_sheet_shows_the_folder(generator_path, tmp_path, capsys):
    album, sheet_path = tmp_path / "album", tmp_path / "album-cartoon" / "contact-sheet.jpg"
    for index in range(3):
        pictures.write_picture(album / f"{index}.png", draw(index, 240, 238))
    (album / "notes.txt").write_text("hello")
    assert _run(generator_path, album, "--contact_sheet") == 0
    sheet = pictures.read_picture(sheet_path).astype(int)
    for left, shown in ((8, draw(0, 240, 238)), (248, pictures.read_picture(sheet_path.with_name("0.png")))):
        tile = sheet[8 : 8 + 240, left + 1 : left + 239]
        assert np.abs(tile.mean((0, 1)) - shown.mean((0, 1))).max() < 4
    assert _run(generator_path, album, "--contact_sheet") == 1
    assert "contact-sheet.jpg: exists already" in capsys.readouterr().err


def test_the_contact_sheet_is_never_written_over_a_picture(generator_path, tmp_path, capsys):
    pictures.write_picture(tmp_path / "contact-sheet.jpg", draw(0))
    before = (tmp_path / "contact-sheet.jpg").read_bytes()
    flags = ["--contact_sheet", f"--output={tmp_path}", "--format=png", "--overwrite"]
    assert _run(generator_path, tmp_path, *flags) == 1
    assert "contact-sheet.jpg: the contact sheet would be written over" in capsys.readouterr().err
    assert (tmp_path / "contact-sheet.jpg").read_bytes() == before


def test_a_film_is_drawn_with_its_sound(generator_path, tmp_path, capsys):
    from tests.films import NUM_FRAMES, Seen, make_film

    make_film(tmp_path / "clip.mp4")
    assert _run(generator_path, tmp_path / "clip.mp4", "--compare", "--long_side=32") == 0
    before, after = Seen(tmp_path / "clip.mp4"), Seen(tmp_path / "clip-cartoon.mp4")
    assert after.pictures.shape == (NUM_FRAMES, 24, 64, 3)
    assert after.times == before.times and [len(sound) for sound in after.sound] == [len(s) for s in before.sound]
    assert np.abs(after.pictures[:, :, 32:] - after.pictures[:, :, :32]).mean() > 5
    assert _run(generator_path, tmp_path / "clip.mp4") == 1
    assert "clip-cartoon.mp4: exists already" in capsys.readouterr().err


def test_films_in_a_folder_are_drawn_too_and_bad_ones_named(generator_path, tmp_path, capsys):
    from tests.films import make_film

    (tmp_path / "album").mkdir()
    make_film(tmp_path / "album" / "clip.avi", audio=("mp3",))
    pictures.write_picture(tmp_path / "album" / "photo.png", draw(0))
    (tmp_path / "album" / "broken.mp4").write_text("hello")
    assert _run(generator_path, tmp_path / "album") == 0
    assert sorted(os.listdir(tmp_path / "album-cartoon")) == ["clip.mkv", "photo.png"]
    assert "broken.mp4" in capsys.readouterr().err
    assert _run(generator_path, tmp_path / "album" / "broken.mp4") == 1
    assert "broken.mp4" in capsys.readouterr().err


def test_quality_and_batches_reach_the_film(generator_path, tmp_path, monkeypatch):
    from tests.films import make_film

    make_film(tmp_path / "clip.mp4")
    sizes = []
    for quality in (20, 95):
        flags = ["--overwrite", "--batch_size=3", f"--quality={quality}"]
        assert _run(generator_path, tmp_path / "clip.mp4", *flags) == 0
        sizes.append((tmp_path / "clip-cartoon.mp4").stat().st_size)
    assert sizes[0] < 0.7 * sizes[1]
    batches = []
    monkeypatch.setattr(
        file_pipeline.RenderOptions, "render_frames", lambda _, draw, frames: (batches.append(len(frames)), frames)[1]
    )
    assert _run(generator_path, tmp_path / "clip.mp4", "--overwrite", "--batch_size=3") == 0
    assert set(batches) <= {3, 2} and 3 in batches


def test_what_a_film_lacks_is_said(generator_path, tmp_path, capsys):
    from tests.films import NUM_FRAMES, Seen, destroy, make_film

    path = make_film(tmp_path / "clip.mp4")
    destroy(path, {7})
    assert _run(generator_path, path) == 0
    assert "clip.mp4: 1 broken frames" in (error := capsys.readouterr().err) and "cut short" not in error
    assert len(Seen(tmp_path / "clip-cartoon.mp4").frames) == NUM_FRAMES
    whole = make_film(tmp_path / "whole.mkv", codec="mjpeg").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    assert _run(generator_path, tmp_path / "cut.mkv") == 0
    assert "frames; it may have been cut short" in capsys.readouterr().err


def test_a_pipe_takes_no_film_and_no_folder(generator_path, photo, capsys):
    for source in ("clip.mp4", photo.parent):
        assert _run(generator_path, source, "--output=-") == 1
        assert "--output=-: standard output takes one picture" in capsys.readouterr().err


def test_a_bad_film_is_named_before_the_model_is_loaded_and_stops_no_picture(generator_path, photo, capsys):
    film = photo.with_name("bad.mp4")
    film.write_text("hello")
    assert _run(generator_path, film, photo) == 1
    assert "bad.mp4" in capsys.readouterr().err and photo.with_name("photo-cartoon.png").exists()
    assert _run("none.keras", film) == 1
    assert "bad.mp4" in (error := capsys.readouterr().err) and "none.keras" not in error


def test_results_may_go_around_the_folder(generator_path, tmp_path):
    for name in ("a.png", "broken-link.png"):
        pictures.write_picture(tmp_path / "x" / "album" / name, draw(0))
    (tmp_path / "x" / "album" / "broken-link.png").unlink()
    (tmp_path / "x" / "album" / "broken-link.png").symlink_to("none.png")
    assert _run(generator_path, tmp_path / "x" / "album", f"--output={tmp_path}/x") == 0
    assert (tmp_path / "x" / "a.png").exists()


def test_outputs_that_cannot_be(generator_path, photo, capsys):
    (photo.parent / "all" / "photo.png").mkdir(parents=True)
    assert _run(generator_path, photo.parent, f"--output={photo.parent}/all", "--overwrite") == 1
    assert "photo.png: a folder, where" in capsys.readouterr().err
    assert _run(generator_path, photo, "--output=a.png", "--format=jpg") == 1
    assert "--output=a.png and --format=jpg" in capsys.readouterr().err
    assert _run(generator_path, photo, f"--output={photo.parent}/new/") == 0
    assert (photo.parent / "new" / "photo-cartoon.png").exists()
    assert _run(generator_path, photo, photo) == 0


def test_a_folder_that_cannot_be_written_is_said_at_once(generator_path, photo, tmp_path):
    """On a disk mounted for reading alone: even root cannot write there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    program = f"{sys.executable} -m cartoongan_tf.cartoonize --model={generator_path} --output={disk}/drawn.png {photo}"
    script = f"mount -t tmpfs -o ro tmpfs {disk} || exit 99; {program}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 1
    assert f"drawn.png: {disk} is not a folder that can be written to" in done.stderr


@pytest.mark.parametrize("size_kb, num_drawn", [(8, 0), (64, 4)])
def test_a_full_disk_stops_the_run_and_leaves_whole_files(generator_path, tmp_path, size_kb, num_drawn):
    """On a small tmpfs, mounted in a namespace of its own. The noise takes some 12 KB a picture."""
    for index in range(9):
        noise = np.random.default_rng(index).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        pictures.write_picture(tmp_path / "album" / f"{index}.png", noise)
    disk = tmp_path / "disk"
    disk.mkdir()
    program = f"{sys.executable} -m cartoongan_tf.cartoonize --model={generator_path} --output={disk}/drawn"
    script = f"mount -t tmpfs -o size={size_kb}k tmpfs {disk} || exit 99; {program} {tmp_path}/album; echo status $?; "
    script += f"find {disk}/drawn -type f -exec cp {{}} {tmp_path} ';'; ls -A {disk}/drawn"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.splitlines()[0]}")
    assert "status 1" in done.stdout and "No space left on device" in done.stderr
    assert f"{disk}/drawn/" in done.stderr and "Traceback" not in done.stderr
    names = done.stdout.split("status 1")[1].split()
    assert all(name.endswith(".png") and not name.startswith(".") for name in names) and len(names) >= num_drawn
    for name in names:
        assert pictures.read_picture(tmp_path / name).shape == (64, 64, 3)
