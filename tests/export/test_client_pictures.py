"""The pictures that the client sends and gets, over gRPC and REST."""

import re

import numpy as np
from PIL import Image

from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge
from export import client
from tests.export import answers
from tests.helpers import draw


def test_a_photo_comes_back_as_the_model_draws_it(ask, session, photo_path, capsys):
    assert ask(photo_path) == 0
    cartoon = photo_path.with_name("photo-cartoon.png")
    assert str(cartoon) in capsys.readouterr().out
    np.testing.assert_array_equal(pictures.read_picture(cartoon), answers.expected(session, photo_path))


def test_strength_and_size_reach_the_server(ask, session, photo_path):
    mild = photo_path.with_name("mild.png")
    assert ask(photo_path, "--strength=0.5", "--long_side=20", f"--output={mild}") == 0
    drawn = pictures.read_picture(mild)
    assert drawn.shape == (14, 20, 3)
    np.testing.assert_array_equal(drawn, answers.expected(session, photo_path, strength=0.5, long_side=20))
    assert ask(photo_path, "--strength=0.5", f"--output={mild}", "--overwrite") == 0
    expected = answers.expected(session, photo_path, strength=0.5, long_side=0)
    np.testing.assert_array_equal(pictures.read_picture(mild), expected)


def test_a_smaller_cartoon_is_enlarged_to_the_size_of_the_photo(ask, photo_path, monkeypatch):
    small = draw(1, 30, 40)
    answer = pictures.encode(pictures.Picture([small]), ".png")
    monkeypatch.setattr(client.RemoteModel, "draw", lambda *_: answer)
    cartoon = photo_path.with_name("photo-cartoon.png")
    height, width = pictures.read_picture(photo_path).shape[:2]
    assert ask(photo_path) == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), enlarge(small, height, width))
    assert ask(photo_path, "--long_side=40", "--overwrite") == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), small)


def test_the_servers_reason_for_a_refusal_is_shown(ask, tmp_path, capsys):
    pictures.write_picture(tmp_path / "large.png", draw(0, 101, 100))
    (tmp_path / "damaged.gif").write_bytes(b"GIF89a and no more")
    assert ask(tmp_path / "large.png", tmp_path / "damaged.gif", "--long_side=101") == 1
    error = capsys.readouterr().err
    assert re.search(r"large\.png: .*100 x 101 .*10000.*long_side", error)
    assert re.search(r"damaged\.gif: .*GIF", error) and "node" not in error
    assert ask(tmp_path / "large.png", "--long_side=100") == 0


def test_colors_and_jpeg_reach_the_server(ask, session, photo_path):
    options = {"strength": 0.5, "long_side": 0, "keep_colors": True, "format": "png"}
    cartoon = photo_path.with_name("photo-cartoon.png")
    assert ask(photo_path, "--strength=0.5", "--keep_colors") == 0
    np.testing.assert_array_equal(pictures.read_picture(cartoon), answers.expected(session, photo_path, **options))
    jpeg = photo_path.with_name("photo-cartoon.jpg")
    assert ask(photo_path, "--long_side=20", "--format=jpg") == 0
    options = {"strength": 1, "long_side": 20, "keep_colors": False, "format": "jpeg"}
    assert jpeg.read_bytes() == answers.expected_file(session, photo_path, **options)
    assert ask(photo_path, f"--output={jpeg}", "--overwrite") == 0
    drawn = answers.expected(session, photo_path)
    assert jpeg.read_bytes() == pictures.encode(pictures.Picture([drawn]), ".jpg")


def test_a_bad_picture_is_named_with_colors_too(ask, tmp_path, capsys):
    (tmp_path / "damaged.gif").write_bytes(b"GIF89a and no more")
    assert ask(tmp_path / "damaged.gif", "--keep_colors") == 1
    assert re.search(r"damaged\.gif: the GIF file holds no picture", capsys.readouterr().err)


def test_pictures_with_loss_are_sent_as_jpeg(ask, session, tmp_path):
    Image.fromarray(draw(1, 20, 30)).save(tmp_path / "photo.avif", quality=80)
    sent = pictures.encode(pictures.read(tmp_path / "photo.avif"), ".jpg")
    (tmp_path / "same.jpg").write_bytes(sent)
    assert ask(tmp_path / "photo.avif") == 0
    expected = answers.expected(session, tmp_path / "same.jpg")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)


def test_a_bmp_that_a_server_does_not_take_is_converted(ask, session, tmp_path):
    Image.fromarray(draw(1, 20, 30)).quantize(16).save(tmp_path / "photo.bmp")
    Image.open(tmp_path / "photo.bmp").convert("RGB").save(tmp_path / "same.png")
    assert ask(tmp_path / "photo.bmp") == 0
    expected = answers.expected(session, tmp_path / "same.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)


def test_other_kinds_without_loss_are_sent_as_png(ask, session, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw(1, 20, 30)).save(tmp_path / "photo.webp", lossless=True, exif=exif)
    Image.fromarray(np.rot90(draw(1, 20, 30), -1)).save(tmp_path / "same.png")
    assert ask(tmp_path / "photo.webp") == 0
    expected = answers.expected(session, tmp_path / "same.png")
    np.testing.assert_array_equal(pictures.read_picture(tmp_path / "photo-cartoon.png"), expected)
