import numpy as np

from cartoongan_tf.media.sheets import contact_sheet, sections


def _plain(color, height=30, width=60):
    return np.full((height, width, 3), color, np.uint8)


def test_pictures_lie_side_by_side_in_rows():
    rows = [(f"photo {i}", [_plain((200, 0, 0)), _plain((0, 0, 10 * i))]) for i in range(1, 6)]
    sheet = contact_sheet(rows, tile_px=50, width_px=250)
    assert sheet.dtype == np.uint8 and sheet.shape[1] == 2 * (2 * 50 + 16)
    assert sheet.shape[0] == 3 * (50 + 18 + 16)
    blues = {tuple(pixel) for pixel in sheet.reshape(-1, 3).tolist()}
    assert {(0, 0, 10 * i) for i in range(1, 6)} <= blues and (200, 0, 0) in blues
    middle = sheet[8 + 25]
    assert tuple(middle[8 + 25]) == (200, 0, 0) and tuple(middle[8 + 75]) == (0, 0, 10)


def test_captions_are_written_and_long_ones_cut():
    row = [_plain((255, 255, 255))]
    blank, short, long = (contact_sheet([(text, row)], tile_px=60) for text in ("", "abc", "x" * 500 + "\u00e9"))
    assert (short != blank).any() and (long != blank).any()
    assert (long[:, -7:] == 255).all()


def test_sections_lie_below_one_another_with_titles():
    first, second = _plain((200, 0, 0)), _plain((0, 0, 200), 20, 90)
    sheet = sections([("first", first), ("", second)])
    assert sheet.dtype == np.uint8 and sheet.shape[1] == 90
    head = (sheet.shape[0] - 30 - 20) // 2
    np.testing.assert_array_equal(sheet[head : head + 30, :60], first)
    np.testing.assert_array_equal(sheet[-20:], second)
    assert (sheet[head : head + 30, 60:] == 255).all()
    assert (sheet[:head] < 128).any() and (sheet[head + 30 : -20] == 255).all()
