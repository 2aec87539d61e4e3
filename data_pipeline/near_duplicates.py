"""Pictures that show the same: found by a perceptual hash, which outlives scaling, recompression and small changes."""

import cv2
import imagehash
import numpy as np
from PIL import Image

HASH_BITS = 256
MAX_BITS = 100  # half of the bits differ by chance
# Copies in other sizes and qualities differ in up to 20 bits, different photos and drawings in 70 and more.
SAME_PICTURE_BITS = 24
_WORDS, _HASH_SIDE = HASH_BITS // 64, 16
_HASHED_PX = 4 * _HASH_SIDE


def perceptual_hash(picture: np.ndarray) -> int:
    """The signs of a picture's lowest frequencies, as a number of HASH_BITS bits.

    Args:
      picture: uint8 RGB [H, W, 3]; blank ones have hashes that say nothing.
    """
    grey = cv2.cvtColor(cv2.resize(picture, (_HASHED_PX, _HASHED_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    signs = imagehash.phash(Image.fromarray(grey), hash_size=_HASH_SIDE).hash
    return int.from_bytes(np.packbits(signs).tobytes(), "big")


class NearDuplicates:
    """Remembers pictures by their hashes, and finds the one that a new picture repeats."""

    def __init__(self, max_bits: int):
        """`max_bits`: how many bits the hashes of two pictures that show the same may differ in; -1: none do."""
        self._max_bits = max_bits
        self._names: list[str] = []
        self._hashes = np.empty((1024, _WORDS), np.uint64)

    def find(self, hash: int) -> str | None:
        """The name of the picture remembered that is nearest to this one, if one is near enough."""
        if not self._names or self._max_bits < 0:
            return None
        known = self._hashes[: len(self._names)]
        distances = np.bitwise_count(known ^ _words(hash)).sum(axis=1, dtype=np.int64)
        nearest = int(distances.argmin())
        return self._names[nearest] if distances[nearest] <= self._max_bits else None

    def remember(self, name: str, hash: int) -> str | None:
        """The name that `find` gives; without one, the picture is remembered itself."""
        earlier = self.find(hash)
        if earlier is None:
            self.add_all({name: hash})
        return earlier

    def add_all(self, hashes: dict[str, int]) -> None:
        """Remember pictures by their names, near ones or not."""
        for name, hash in hashes.items():
            if len(self._names) == len(self._hashes):
                self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
            self._hashes[len(self._names)] = _words(hash)
            self._names.append(name)


def _words(hash: int) -> np.ndarray:
    return np.frombuffer(hash.to_bytes(HASH_BITS // 8, "big"), ">u8").astype(np.uint64)
