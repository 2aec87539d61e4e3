import numpy as np
import pytest
import tensorflow as tf

from cartoongan_tf.training.image_pool import ImagePool


def _generated(step, batch_size):
    """Pictures that say which they are: their number, in every pixel."""
    numbers = step * batch_size + np.arange(batch_size, dtype=np.float32)
    return np.broadcast_to(numbers[:, None, None, None], (batch_size, 2, 2, 3))


def _step(pool, step, batch_size):
    """What is shown in a step, by number, and whether each was taken from the pool; the pool afterwards."""
    generated = _generated(step, batch_size)
    recalled = pool.recall(tf.constant(step, tf.int64), batch_size)
    shown = tf.where(recalled.instead, recalled.pictures, generated)
    pool.keep(tf.constant(step, tf.int64), tf.constant(generated))
    return shown[:, 0, 0, 0].numpy(), recalled.instead.numpy().ravel(), pool.pictures[:, 0, 0, 0].numpy().copy()


@pytest.mark.parametrize("size, batch_size", [(6, 2), (7, 3), (4, 4)])
def test_against_a_plain_pool(size, batch_size):
    """It fills up in order; then each picture is either shown as it is, or changes places with one that is there."""
    pool, plain = ImagePool(size, 2, seed=3), np.zeros(size, np.float32)
    times_swapped = 0
    for step in range(40):
        numbers = _generated(step, batch_size)[:, 0, 0, 0]
        shown, instead, pictures = _step(pool, step, batch_size)
        for number, seen, is_swapped in zip(numbers, shown, instead, strict=True):
            if number < size:
                plain[int(number)] = number
                assert not is_swapped
            elif is_swapped:
                (place,) = np.flatnonzero(plain == seen)
                plain[place] = number
            assert seen == number or is_swapped
        np.testing.assert_array_equal(pictures, plain)
        times_swapped += instead.sum()
    later = 40 * batch_size - size
    assert 0.35 * later < times_swapped < 0.65 * later
    assert len(set(plain)) == size


def test_choices_are_a_function_of_seed_and_step():
    pools = [ImagePool(8, 2, seed) for seed in (0, 0, 1)]
    runs = [[_step(pool, step, 2)[0].tolist() for step in range(20)] for pool in pools]
    assert runs[0] == runs[1] != runs[2]


def test_a_restored_pool_goes_on(tmp_path):
    pool, restored = ImagePool(6, 2, 0), ImagePool(6, 2, 0)
    for step in range(10):
        _step(pool, step, 2)
    path = tf.train.Checkpoint(pool=pool).write(str(tmp_path / "pool"))
    tf.train.Checkpoint(pool=restored).read(path).assert_consumed()
    for step in range(10, 20):
        np.testing.assert_array_equal(_step(pool, step, 2)[0], _step(restored, step, 2)[0])


def test_replicas_share_one_pool(two_replicas):
    """Two replicas of 2 show and keep what one of 4 does, and both hold the whole pool."""
    alone = ImagePool(6, 2, 0)
    with two_replicas.scope():
        shared = ImagePool(6, 2, 0)

    @tf.function
    def replicated(step, generated):
        def exchange(generated):
            recalled = shared.recall(step, 2)
            shared.keep(step, generated)
            return tf.where(recalled.instead, recalled.pictures, generated)

        return two_replicas.run(exchange, args=(generated,))

    for step in range(12):
        expected, _, pictures = _step(alone, step, 4)
        parts = np.split(_generated(step, 4), 2)
        of_replicas = two_replicas.experimental_distribute_values_from_function(
            lambda context, parts=parts: tf.constant(parts[context.replica_id_in_sync_group])
        )
        shown = two_replicas.experimental_local_results(replicated(tf.constant(step, tf.int64), of_replicas))
        np.testing.assert_array_equal(np.concatenate(shown)[:, 0, 0, 0], expected)
        for copy in two_replicas.experimental_local_results(shared.pictures):
            np.testing.assert_array_equal(copy[:, 0, 0, 0], pictures)
