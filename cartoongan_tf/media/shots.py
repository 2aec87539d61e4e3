"""Detection of the cuts at which the shots of a film begin."""

import numpy as np
from scenedetect import ContentDetector, FrameTimecode

from cartoongan_tf.media import pictures

CUT_SEARCH_PX = 160  # longer side of the frames that are compared


class CutDetector:
    """A detector for the first frame of each shot; PySceneDetect's content detector on small frames."""

    def __init__(self):
        self._detector = ContentDetector(min_scene_len=1)
        self._num_frames = 0

    def is_cut(self, frame: np.ndarray) -> bool:
        """Return whether a shot begins with this frame. Call it for every frame, in order.

        Args:
          frame: uint8 RGB [H, W, 3] of any size.
        """
        small = pictures.shrink(frame, CUT_SEARCH_PX)
        place = FrameTimecode(self._num_frames, fps=25.0)
        self._num_frames += 1
        cuts = self._detector.process_frame(place, np.ascontiguousarray(small[..., ::-1]))
        return self._num_frames == 1 or bool(cuts)
