import io

import numpy as np
from PIL import Image

from cartoongan_tf.media import pictures
from data_pipeline.near_duplicates import HASH_BITS, SAME_PICTURE_BITS, NearDuplicates, perceptual_hash
from tests.helpers import draw


def _again(picture, scale=1.0, quality=60):
    """Return the picture in another size, compressed again."""
    image = Image.fromarray(picture)
    file = io.BytesIO()
    image.resize([round(side * scale) for side in image.size]).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _distance(first, second):
    return (perceptual_hash(first) ^ perceptual_hash(second)).bit_count()


def test_the_same_picture_is_near_and_others_are_far():
    for seed in range(5):
        picture = draw(seed, 240, 320)
        for copy in (_again(picture), _again(picture, 0.5), _again(picture, 1.5, 30)):
            assert _distance(picture, copy) <= SAME_PICTURE_BITS, seed
        for other in (draw(seed + 100, 240, 320), picture[:, ::-1], np.roll(picture, 60, 1)):
            assert _distance(picture, other) > 2 * SAME_PICTURE_BITS, seed


def test_hashes_fill_their_bits():
    assert all(0 <= perceptual_hash(draw(seed)) < 2**HASH_BITS for seed in range(5))


def test_the_nearest_of_those_remembered_is_found():
    remembered = NearDuplicates(max_bits=2)
    assert remembered.find(0) is None
    remembered.add_all({"zero": 0, "ones": 2**256 - 1, "high": 7 << 253})
    assert remembered.find(0b11) == "zero" and remembered.find(0b111) is None
    assert remembered.find((2**256 - 1) ^ (1 << 255)) == "ones"
    assert remembered.find(3 << 254) == "high"  # one bit away; two from zero


def test_only_what_is_new_is_remembered():
    remembered = NearDuplicates(max_bits=1)
    assert [remembered.remember(name, hash) for name, hash in (("a", 0), ("b", 1), ("c", 3))] == [None, "a", None]
    assert remembered.find(7) == "c"


def test_a_negative_limit_finds_nothing():
    remembered = NearDuplicates(max_bits=-1)
    assert remembered.remember("five", 5) is None and remembered.remember("five again", 5) is None


def test_thousands_are_remembered():
    remembered = NearDuplicates(max_bits=0)
    remembered.add_all({str(number): number for number in range(5000)})
    assert (
        all(remembered.find(number) == str(number) for number in (0, 1023, 1024, 4999))
        and remembered.find(5000) is None
    )


def test_real_pictures_are_told_apart(assets):
    paths = sorted((assets / "cartoons" / "peppercarrot").glob("E0[1-8]*.jpg"))
    hashes = [perceptual_hash(pictures.read_picture(path)) for path in paths]
    distances = [(one ^ other).bit_count() for i, one in enumerate(hashes) for other in hashes[:i]]
    assert len(hashes) > 50 and min(distances) > 2 * SAME_PICTURE_BITS
