"""The choice between one piece and parts (bands or tiles) for pictures of a size, by memory and kernels."""

import dataclasses
import math
from typing import Literal

from cartoongan_tf.base import memory
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.runtime import Runtime

Method = Literal["auto", "whole", "banded"]
USABLE_SHARE = 0.8  # share of the available memory that may be used: other programs need some too
_SIDE_STEP_PX = 8  # precision of the side that a message recommends


@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan for pictures of one size.

    Attributes:
      in_bands: whether each picture is run in parts, and not in one piece.
      batch_size: number of pictures to run at once, at least 1.
    """

    in_bands: bool
    batch_size: int


@dataclasses.dataclass(frozen=True)
class Planner:
    """Plans for pictures of any size.

    Attributes:
      runtime: the generator to run.
      method: "whole" runs each picture in one piece, "banded" in bands; "auto" chooses by the size.
    """

    runtime: Runtime
    method: Method

    def plan(self, height: int, width: int) -> Plan:
        """Return the plan for pictures of a size in pixels.

        Raises:
          InputError: they can be run neither in one piece nor in bands.
        """
        values = self.runtime.values_per_pixel * height * width
        if self.method == "whole":
            if values > self.runtime.most_values:
                raise InputError(self._too_large(height, width, math.inf))
            return Plan(in_bands=False, batch_size=int(self.runtime.most_values / values))
        usable = USABLE_SHARE * memory.available_bytes() + self.runtime.held_bytes
        most_for_kernels = self.runtime.most_values_before_bands / values
        most_for_memory = usable / self.one_piece_bytes(height, width)
        batch_size = int(min(most_for_kernels, most_for_memory))
        if self.method == "auto" and batch_size > 0:
            return Plan(in_bands=False, batch_size=batch_size)
        if not self._fits(height, width, usable):
            raise InputError(self._too_large(height, width, usable))
        return Plan(in_bands=True, batch_size=1)

    def one_piece_bytes(self, height: int, width: int) -> float:
        """Return the memory that one picture takes in one piece."""
        return self.runtime.bytes_per_pixel * height * width

    def require_bands(self, error: MemoryError) -> None:
        """Raise InputError unless bands may be tried after the device ran out of memory.

        Args:
          error: the device's error.
        """
        if not self.runtime.has_bands:
            raise InputError(f"out of memory ({error}); {self._one_piece_note()}") from error
        if self.method == "whole":
            raise InputError(f"out of memory ({error}); give --method=auto, or --long_side") from error

    def _fits(self, height: int, width: int, usable: float) -> bool:
        """Return whether a picture of that size can be run by any allowed method."""
        return self._fits_in_one_piece(height, width, usable) or self._fits_in_bands(height, width, usable)

    def _fits_in_one_piece(self, height: int, width: int, usable: float) -> bool:
        values = self.runtime.values_per_pixel * height * width
        return values <= self.runtime.most_values and self.one_piece_bytes(height, width) <= usable

    def _fits_in_bands(self, height: int, width: int, usable: float) -> bool:
        can_use_bands = self.runtime.has_bands and self.method != "whole"
        return can_use_bands and self.runtime.banded_bytes(height, width) <= usable

    def _too_large(self, height: int, width: int, usable: float) -> str:
        """Return the message for a picture that does not fit, with what the user can do."""
        side = self._longest_side_that_fits(height, width, usable)
        advice = f"--long_side={side} fits" if side else "free some memory"
        if self.method == "whole" and self.runtime.has_bands:
            advice = f"leave out --method=whole, or give --long_side={side}"
        note = "" if self.runtime.has_bands else f". {self._one_piece_note()}"
        return f"{width} x {height} pixels {self._problem(height, width, usable)}; {advice}{note}"

    def _longest_side_that_fits(self, height: int, width: int, usable: float) -> int:
        """Return about the longest side, in pixels, to which the picture can be shrunk to fit; 0 if there is none."""
        fitting = 0
        too_long = max(height, width)
        while too_long - fitting > _SIDE_STEP_PX:
            middle = (fitting + too_long) // 2
            scale = middle / max(height, width)
            shrunk_height = max(1, round(height * scale))
            shrunk_width = max(1, round(width * scale))
            if self._fits(shrunk_height, shrunk_width, usable):
                fitting = middle
            else:
                too_long = middle
        return fitting

    def _problem(self, height: int, width: int, usable: float) -> str:
        needed = self.one_piece_bytes(height, width)
        if self.runtime.has_bands and self.method != "whole":
            needed = min(needed, self.runtime.banded_bytes(height, width))
        if needed > usable:
            return f"take about {needed / 1e9:.1f} GB to draw, and {usable / 1e9:.1f} GB can be used"
        return "are more than can be computed in one piece on this machine"

    def _one_piece_note(self) -> str:
        return f"{self.runtime.name} runs a picture in one piece; the .keras file can run it in bands, in less memory"
