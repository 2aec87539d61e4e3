"""Drawings for the demo: village scenes in flat colours with dark outlines."""

import cv2
import numpy as np

WIDTH = 480
HEIGHT = 360
_SCALE = 2  # drawn larger, then reduced, for smooth outlines
_INK = (38, 28, 34)
_SKIES = ((148, 206, 244), (250, 214, 165), (176, 226, 214), (252, 196, 190), (120, 170, 226))
_HILLS = ((110, 178, 92), (148, 200, 104), (84, 150, 108), (214, 190, 98), (176, 140, 190))
_WALLS = ((250, 236, 206), (240, 190, 150), (226, 226, 232), (206, 120, 96), (250, 220, 120))
_ROOFS = ((190, 62, 52), (70, 92, 150), (120, 78, 56), (60, 128, 120))
_LEAVES = ((66, 140, 70), (110, 170, 60), (230, 140, 60), (240, 160, 180))


def draw_scene(seed: int) -> np.ndarray:
    """Draw one scene.

    Args:
      seed: seed of the scene.

    Returns:
      uint8 RGB [HEIGHT, WIDTH, 3].
    """
    scene = _Scene(np.random.default_rng(seed))
    scene.sky()
    for level in np.linspace(0.45, 0.75, scene.rng.integers(2, 4)):
        scene.hill(level)
        for _ in range(scene.rng.integers(2, 6)):
            draw = (scene.house, scene.tree)[scene.rng.integers(2)]
            draw(level)
    return cv2.resize(scene.canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


class _Scene:
    """A canvas with scenery; positions and sizes are fractions of its height."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.unit = HEIGHT * _SCALE
        self.aspect = WIDTH / HEIGHT
        self.canvas = np.empty((HEIGHT * _SCALE, WIDTH * _SCALE, 3), np.uint8)

    def sky(self) -> None:
        self.canvas[:] = self._colour(_SKIES)
        self._circle(self._x(), self.rng.uniform(0.1, 0.3), 0.07, (255, 244, 190))
        for _ in range(self.rng.integers(1, 4)):
            x = self._x()
            y = self.rng.uniform(0.08, 0.35)
            shape = np.zeros(self.canvas.shape[:2], np.uint8)
            for offset in (-0.08, -0.03, 0.03, 0.08):
                centre = self._point(x + offset, y + self.rng.uniform(-0.02, 0.02))
                cv2.circle(shape, centre, int(self.rng.uniform(0.03, 0.06) * self.unit), 255, -1)
            outlines, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            self._fill(outlines, (255, 255, 255))

    def hill(self, level: float) -> None:
        xs = np.linspace(-0.1, self.aspect + 0.1, 60)
        waves = np.sin(xs * self.rng.uniform(2, 5) + self.rng.uniform(0, 6)) * self.rng.uniform(0.02, 0.07)
        outline = [self._point(x, level + wave) for x, wave in zip(xs, waves, strict=True)]
        self._polygon([self._point(-0.1, 1.1), *outline, self._point(self.aspect + 0.1, 1.1)], self._colour(_HILLS))

    def house(self, level: float) -> None:
        x = self._x()
        base = level + self.rng.uniform(0.08, 0.2)
        size = self.rng.uniform(0.12, 0.25)
        self._rectangle(x, base - size, x + size, base, self._colour(_WALLS))
        peak = self._point(x + size / 2, base - 1.6 * size)
        eaves = [self._point(x + offset * size, base - size) for offset in (-0.15, 1.15)]
        self._polygon([eaves[0], peak, eaves[1]], self._colour(_ROOFS))
        self._rectangle(x + 0.12 * size, base - 0.55 * size, x + 0.36 * size, base, (110, 70, 50))
        self._rectangle(x + 0.55 * size, base - 0.7 * size, x + 0.85 * size, base - 0.4 * size, (180, 220, 240))

    def tree(self, level: float) -> None:
        x = self._x()
        base = level + self.rng.uniform(0.08, 0.2)
        size = self.rng.uniform(0.15, 0.3)
        self._rectangle(x - 0.06 * size, base - 0.5 * size, x + 0.06 * size, base, (112, 74, 50))
        leaves = self._colour(_LEAVES)
        for dx, dy, radius in ((-0.22, 0.6, 0.24), (0.22, 0.6, 0.24), (0.0, 0.85, 0.3)):
            self._circle(x + dx * size, base - dy * size, radius * size, leaves)

    def _x(self) -> float:
        return self.rng.uniform(0.05, self.aspect - 0.1)

    def _colour(self, palette) -> tuple[int, ...]:
        colour = np.array(palette[self.rng.integers(len(palette))]) + self.rng.integers(-12, 13, 3)
        return tuple(int(level) for level in colour.clip(0, 255))

    def _point(self, x: float, y: float) -> tuple[int, int]:
        return int(x * self.unit), int(y * self.unit)

    def _rectangle(self, left: float, top: float, right: float, bottom: float, colour) -> None:
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        self._polygon([self._point(*corner) for corner in corners], colour)

    def _circle(self, x: float, y: float, radius: float, colour) -> None:
        points = cv2.ellipse2Poly(self._point(x, y), (int(radius * self.unit),) * 2, 0, 0, 360, 6)
        self._polygon(points, colour)

    def _polygon(self, points, colour) -> None:
        self._fill([np.array(points, np.int32)], colour)

    def _fill(self, outlines, colour) -> None:
        cv2.fillPoly(self.canvas, outlines, colour)
        cv2.polylines(self.canvas, outlines, True, _INK, 3 * _SCALE, cv2.LINE_AA)
