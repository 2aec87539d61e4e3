import io
import struct

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.media import pictures
from cartoongan_tf.media.transparency import with_alpha
from tests.export.serving.mutations import encode
from tests.helpers import draw


def _gif_with_frame_apart(left, top, canvas, transparency=None):
    """A GIF whose first frame, of 12 x 10 pixels, lies somewhere on a canvas."""
    options = {} if transparency is None else {"transparency": transparency}
    content = bytearray(encode(Image.fromarray(draw(1, 10, 12)).quantize(32), "GIF", **options))
    place = content.index(b"\x2c\0\0\0\0")
    content[place + 1 : place + 5] = struct.pack("<HH", left, top)
    content[6:10] = struct.pack("<HH", *canvas)
    return bytes(content)


@pytest.mark.parametrize("transparency", [None, 0, 3, 31])
@pytest.mark.parametrize("left, top, canvas", [(0, 0, (12, 10)), (5, 3, (40, 30)), (5, 3, (12, 10)), (50, 3, (20, 30))])
def test_a_gif_is_its_whole_canvas_with_its_transparency(read, left, top, canvas, transparency):
    content = _gif_with_frame_apart(left, top, canvas, transparency)
    picture = pictures.read(io.BytesIO(content), first_frame_only=True)
    np.testing.assert_array_equal(read(content)[1], with_alpha(picture.frames[0]))
