"""Pictures that show the same, found by a perceptual hash that survives scaling, recompression and small changes."""

import cv2
import imagehash
import numpy as np
from PIL import Image

HASH_BITS = 256
MAX_BITS = 100  # different pictures differ in half of the bits by chance
# Copies in other sizes and qualities differ in up to 20 bits, different photos and drawings in 70 and more.
SAME_PICTURE_BITS = 24
_NUM_WORDS = HASH_BITS // 64
_HASH_SIDE = 16
_HASHED_PX = 4 * _HASH_SIDE
_INITIAL_CAPACITY = 1024


def perceptual_hash(picture: np.ndarray) -> int:
    """Return the signs of a picture's lowest frequencies, as a number of HASH_BITS bits.

    Args:
      picture: uint8 RGB [H, W, 3]; not blank, as the hashes of blank pictures are arbitrary.
    """
    small = cv2.resize(picture, (_HASHED_PX, _HASHED_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    signs = imagehash.phash(Image.fromarray(grey), hash_size=_HASH_SIDE).hash
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


class NearDuplicates:
    """Pictures remembered by their hashes, to find the one that a new picture repeats."""

    def __init__(self, max_bits: int):
        """
        Args:
          max_bits: the most bits in which the hashes of two pictures that show the same may differ; -1: no two
            pictures show the same.
        """
        self._max_bits = max_bits
        self._names: list[str] = []
        self._hashes = np.empty((_INITIAL_CAPACITY, _NUM_WORDS), np.uint64)

    def find(self, hash: int) -> str | None:
        """Return the name of the nearest picture remembered, or None if none is near enough."""
        if not self._names or self._max_bits < 0:
            return None
        remembered = self._hashes[: len(self._names)]
        distances = np.bitwise_count(remembered ^ _words(hash)).sum(axis=1, dtype=np.int64)
        nearest = int(distances.argmin())
        return self._names[nearest] if distances[nearest] <= self._max_bits else None

    def remember(self, name: str, hash: int) -> str | None:
        """Return what `find` returns; if that is None, remember the picture."""
        earlier = self.find(hash)
        if earlier is None:
            self.add_all({name: hash})
        return earlier

    def add_all(self, hashes: dict[str, int]) -> None:
        """Remember pictures, by name, whether they repeat others or not."""
        for name, hash in hashes.items():
            if len(self._names) == len(self._hashes):
                self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
            self._hashes[len(self._names)] = _words(hash)
            self._names.append(name)


def _words(hash: int) -> np.ndarray:
    return np.frombuffer(hash.to_bytes(HASH_BITS // 8, "big"), ">u8").astype(np.uint64)
