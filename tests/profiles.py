"""ICC profiles for tests."""

import struct

_SIGNATURES = (b"wtpt", b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC")
_WHITE = (63190, 65536, 54061)  # D50, in 1 / 65536
# Primaries, adapted to D50.
SRGB = ((28578, 14581, 912), (25238, 46983, 6363), (9374, 3972, 46786))
DISPLAY_P3 = ((33759, 15807, -69), (19135, 45367, 2745), (10296, 4363, 51385))


def rgb_profile(gamma, primaries=SRGB):
    """Return an ICC profile with primaries and a curve of that gamma: header, table of tags, tags."""
    colors = [struct.pack(">4s4x3i", b"XYZ ", *color) for color in (_WHITE, *primaries)]
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(256 * gamma))
    tags = [*colors, curve, curve, curve]
    begin = 128 + 4 + 12 * len(tags)
    table = struct.pack(">I", len(tags))
    for signature, tag in zip(_SIGNATURES, tags, strict=True):
        table += struct.pack(">4sII", signature, begin, len(tag))
        begin += len(tag)
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i48x", begin, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp", *_WHITE
    )
    return header + table + b"".join(tags)
