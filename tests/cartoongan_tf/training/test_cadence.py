from cartoongan_tf.training.cadence import Cadence, Due

NOTHING = Due(fetch=False, summary=False, checkpoint=False)
ALL = Due(fetch=True, summary=True, checkpoint=True)


def test_a_call_ends_at_a_checkpoint_and_at_the_end():
    cadence = Cadence(checkpoint_every_steps=7, summary_every_steps=5, steps_per_call=3)
    for done, num_steps in [(0, 3), (3, 3), (6, 1), (7, 3), (18, 2), (19, 1)]:
        assert cadence.steps_in_next_call(done, end=20) == num_steps, done


def test_summaries_and_readings_are_due_within_a_call_and_checkpoints_at_its_end():
    cadence = Cadence(checkpoint_every_steps=60, summary_every_steps=25, steps_per_call=4)
    for done, due in [
        (4, NOTHING),
        (12, Due(fetch=True, summary=False, checkpoint=False)),  # 10 lies in the call
        (16, NOTHING),
        (28, Due(fetch=True, summary=True, checkpoint=False)),  # 25 does
        (60, Due(fetch=True, summary=False, checkpoint=True)),
        (100, Due(fetch=True, summary=True, checkpoint=False)),
    ]:
        assert cadence.due(done, num_steps=4, is_last=False) == due, done
        assert cadence.due(done, num_steps=4, is_last=True) == ALL, done
