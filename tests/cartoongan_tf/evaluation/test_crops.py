import numpy as np

from cartoongan_tf.evaluation import crops


def test_boxes_are_spread_over_all_pictures_and_not_repeated():
    sizes = [(64, 64), (40, 33), (32, 32)]
    boxes = crops.choose_boxes(sizes, 90, 32, seed=0)
    assert [len(corners) for corners in boxes] == [71, 9 * 2, 1]
    for corners, (height, width) in zip(boxes, sizes, strict=True):
        assert len(np.unique(corners, axis=0)) == len(corners) and (corners >= 0).all()
        assert (corners <= [height - 32, width - 32]).all()
    assert [len(corners) for corners in crops.choose_boxes([(40, 40)] * 5, 3, 32, seed=0)] == [1] * 5


def test_boxes_depend_on_the_seed_alone():
    (few,) = crops.choose_boxes([(70, 70)], 30, 32, seed=0)
    (again,) = crops.choose_boxes([(70, 70)], 30, 32, seed=0)
    (other,) = crops.choose_boxes([(70, 70)], 30, 32, seed=1)
    np.testing.assert_array_equal(few, again)
    assert (few != other).any()


def test_boxes_do_not_overlap_while_there_is_room():
    (boxes,) = crops.choose_boxes([(140, 105)], 12, 32, seed=3)
    covered = np.zeros((140, 105), int)
    for top, left in boxes:
        covered[top : top + 32, left : left + 32] += 1
    assert covered.max() == 1 and covered.sum() == 12 * 32 * 32
    assert (boxes[:, 0] % 32 == boxes[0, 0] % 32).all() and (boxes != 0).any()


def test_crops_are_cut_at_their_boxes():
    images = [np.arange(6 * 5 * 3, dtype=np.uint8).reshape(6, 5, 3) + number for number in range(2)]
    boxes = [np.array([[0, 0], [3, 1]]), np.array([[2, 2]])]
    pixels, pictures = crops.cut(images, boxes, 3)
    assert pictures.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(pixels[1], images[0][3:6, 1:4])
    np.testing.assert_array_equal(pixels[2], images[1][2:5, 2:5])
    assert crops.num_disjoint(images, 2) == 2 * (3 * 2)
