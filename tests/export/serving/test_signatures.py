"""The size at which a served model draws files."""

import io

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.media import pictures
from cartoongan_tf.models import pixels
from export.serving import saved_model
from export.serving.session import ServingSession
from tests.export.conftest import MAX_PIXELS
from tests.export.serving.mutations import encode
from tests.helpers import draw


@pytest.mark.slow
def test_larger_files_are_drawn_at_the_models_size(generator, tmp_path):
    saved_model.write_version(generator, tmp_path / "1", "sized", draw(0), MAX_PIXELS, drawing_size=40)
    session = ServingSession(tmp_path / "1")
    photo = draw(1, 200, 300)  # more pixels than the model may draw
    (answer,) = session.predict("encoded", image_bytes=[encode(photo, "PNG")])["cartoon_bytes"]
    expected = np.asarray(pixels.cartoonize(generator, pictures.shrink(photo, 40)[np.newaxis]))[0]
    np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(answer))).astype(int), expected, atol=1)
    options = {"strength": np.float32([1, 1]), "long_side": np.int32([0, 60])}
    answers = session.predict("styled", image_bytes=[encode(photo, "PNG")] * 2, **options)["cartoon_bytes"]
    assert [Image.open(io.BytesIO(each)).size for each in answers] == [(40, 27), (60, 40)]
