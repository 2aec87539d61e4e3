"""HDR as SDR: the colours of PQ and HLG films and pictures in BT.709, with diffuse white where an SDR film has it.

Sources: ITU-R BT.2100 (the two transfer functions), BT.2087 (primaries), BT.2408 (diffuse white at 203 cd/m2), BT.1886
(an SDR display's gamma), BT.2390 (brighter highlights of pictures, by the brightest one). Those of films are compressed
into the last twelfth of the light, as what is still to come is not known. Knows nothing of TensorFlow.
"""

import functools
from typing import Any

import cv2
import numpy as np

# Numbers in a film's colour tags (ITU-T H.273).
PQ = 16
HLG = 18
BT2020_PRIMARIES = 9

_WHITE_NITS = 203.0
_HLG_PEAK_NITS = 1000.0
_HLG_SYSTEM_GAMMA = 1.2
_KNEE = 0.92  # share of diffuse white up to which light stays as it is
_SDR_GAMMA = 2.4
_PEAK_PERCENTILE = 99.9  # a few specks may be brighter than a picture's peak
_BT2020_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)
_BT2020_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def is_hdr(transfer: int) -> bool:
    """Return whether a film with this transfer characteristic, as in its tags, is HDR."""
    return transfer in (PQ, HLG)


def to_sdr(codes: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Convert a frame.

    Args:
      codes: uint16 RGB [H, W, 3], as stored: 0 to 65535 is the range of the codes.
      transfer: PQ or HLG.
      primaries: BT2020_PRIMARIES, or anything else for BT.709's.

    Returns:
      uint8 RGB [H, W, 3] for an SDR display.
    """
    return _sdr_codes(_compress_highlights(_light_of(codes, transfer, primaries)))


def _light_of(codes: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Return the light that codes stand for, relative to diffuse white, float32 RGB [H, W, 3] in BT.709's primaries."""
    light = _light_table(transfer)[codes]
    if transfer == HLG:  # its system gamma, of the luminance
        luminance = cv2.transform(light, _BT2020_LUMINANCE)
        light *= cv2.pow(luminance, _HLG_SYSTEM_GAMMA - 1)[..., np.newaxis]
        light *= _HLG_PEAK_NITS / _WHITE_NITS
    if primaries == BT2020_PRIMARIES:
        light = cv2.transform(light, _BT2020_TO_BT709)
    return np.maximum(light, 0)


def _sdr_codes(light: np.ndarray) -> np.ndarray:
    """Return the codes, uint8, of light from 0 to 1."""
    return np.rint(255 * cv2.pow(np.minimum(light, 1), 1 / _SDR_GAMMA)).astype(np.uint8)


def picture_to_sdr(picture: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Convert 8-bit codes, uint8 RGB or RGBA [H, W, 3 or 4], to uint8 of the same shape; otherwise as `to_sdr`."""
    light = _light_of(picture[..., :3].astype(np.uint16) * 257, transfer, primaries)
    peak = float(np.percentile(light.max(-1), _PEAK_PERCENTILE))
    return np.dstack([_sdr_codes(_fit_below(light, peak) if peak > 1 else light), picture[..., 3:]])


@functools.cache
def _light_table(transfer: int) -> np.ndarray:
    """Return the light of each code, float32 [65536]: PQ's relative to diffuse white, HLG's that of the scene, to 1."""
    code = np.arange(2**16) / (2**16 - 1)
    if transfer == PQ:
        light = _pq_light(code)
    else:
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    return light.astype(np.float32)


def _compress_highlights(light: np.ndarray) -> np.ndarray:
    """Bring light from 0 up, float32 RGB [H, W, 3], below 1; hues stay, as all channels shrink by the same factor."""
    peak = light.max(-1, keepdims=True)
    above = np.maximum(peak - _KNEE, 0)
    compressed = np.where(above > 0, _KNEE + (1 - _KNEE) * -np.expm1(-above / (1 - _KNEE)), peak)
    return light * np.divide(compressed, peak, out=np.ones_like(peak), where=peak > 0)


def _fit_below(light: np.ndarray, peak: float) -> np.ndarray:
    """Bring light from 0 to `peak`, which is above 1, below 1 by the curve of BT.2390, section 5.4.1; hues stay."""
    brightest = light.max(-1, keepdims=True)
    peak_code = _pq_code(peak)
    white = _pq_code(1.0) / peak_code
    knee = 1.5 * white - 0.5
    code = np.minimum(_pq_code(brightest) / peak_code, 1)
    t = (code - knee) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    fitted = _pq_light(np.where(code < knee, code, curve) * peak_code)
    return light * np.divide(fitted, brightest, out=np.ones_like(brightest), where=brightest > 0)


def _pq_light(code: np.ndarray) -> np.ndarray:
    """Return the light, relative to diffuse white, of PQ's codes from 0 to 1."""
    root = code ** (32 / 2523)
    return 10000 / _WHITE_NITS * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610)


def _pq_code(light: Any) -> Any:
    """Return PQ's code, 0 to 1, of light relative to diffuse white."""
    root = (light * (_WHITE_NITS / 10000)) ** (2610 / 16384)
    return ((0.8359375 + 18.8515625 * root) / (1 + 18.6875 * root)) ** (2523 / 32)
