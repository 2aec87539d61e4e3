"""The size at which pictures are drawn: the same cartoon from a small picture and from a large one.

The lines and strokes of a style have a width in pixels, so a photo of 12 megapixels would hardly change. So larger
pictures are shrunk to the style's size, and their cartoons are enlarged to the size of the picture.
"""

import numpy as np

from cartoongan_tf.media import pictures
from cartoongan_tf.media.enlargement import enlarge


class DrawingSize:
    """The longer side at which larger pictures are drawn."""

    def __init__(self, long_side: int = 0):
        """
        Args:
          long_side: the longer side in pixels; 0: each picture's own.
        """
        self._long_side = long_side

    def shrink(self, photos: np.ndarray) -> np.ndarray:
        """Shrink photos to the size at which they are drawn: uint8 RGB [N, H, W, 3] -> [N, H2, W2, 3]."""
        if not 0 < self._long_side < max(photos.shape[1:3]):
            return photos
        return np.stack([pictures.shrink(photo, self._long_side) for photo in photos])

    def enlarge(self, cartoons: np.ndarray, photos: np.ndarray) -> np.ndarray:
        """Enlarge cartoons to the size of their photos: uint8 RGB [N, H2, W2, 3] -> [N, H, W, 3]."""
        if cartoons.shape == photos.shape:
            return cartoons
        return np.stack([enlarge(cartoon, *photos.shape[1:3]) for cartoon in cartoons])
