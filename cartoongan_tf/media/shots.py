"""Where the shots of a film begin."""

import numpy as np
from scenedetect import ContentDetector, FrameTimecode

from cartoongan_tf.media import pictures

CUT_SEARCH_PX = 160  # longer side of the frames that are compared


class CutDetector:
    """Tells the first frame of each shot, as PySceneDetect's content detector finds it."""

    def __init__(self):
        self._detector = ContentDetector(min_scene_len=1)
        self._num_frames = 0

    def is_cut(self, frame: np.ndarray) -> bool:
        """Whether a shot begins with this frame, uint8 RGB [H, W, 3] of any size; ask for every frame, in order."""
        small = pictures.shrink(frame, CUT_SEARCH_PX)
        place = FrameTimecode(self._num_frames, fps=25.0)
        self._num_frames += 1
        cuts = self._detector.process_frame(place, np.ascontiguousarray(small[..., ::-1]))
        return self._num_frames == 1 or bool(cuts)
