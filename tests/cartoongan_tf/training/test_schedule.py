"""The lengths of phases: of a run that begins, and of one whose data or epochs have changed."""

import dataclasses
import json

import pytest

from cartoongan_tf.training import schedule
from cartoongan_tf.training.optimizers import ConstantThenLinear
from tests.small_steps import small_config

CONFIG = small_config(
    initialization_epochs=2,
    initialization_decay_epochs=1,
    discriminator_warmup_steps=5,
    adversarial_epochs=4,
    adversarial_decay_epochs=2,
)


def _done(initialization=0, warmup=0, adversarial=0):
    return {"initialization": initialization, "warmup": warmup, "adversarial": adversarial}


def _lengths(planned):
    return [phase.num_steps for phase in planned.phases]


def _rest(steps_per_epoch, *done, before=None, **changes):
    """The schedule after so many steps of each phase of one with 4 batches an epoch: 8, 5 and 16."""
    config = dataclasses.replace(CONFIG, **changes)
    return schedule.plan_rest(before or schedule.plan(CONFIG, 4), _done(*done), config, steps_per_epoch)


def _share(phase, step):
    """Tell what part of its learning rate is left."""
    return float(ConstantThenLinear(1.0, phase.steps - phase.decay_steps, phase.decay_steps)(step))


def test_a_run_begins_with_what_its_flags_ask_for():
    planned = schedule.plan(CONFIG, 4)
    assert _lengths(planned) == [8, 5, 16] and planned.num_steps == 29
    assert [phase.decay_steps for phase in planned.phases] == [4, 0, 8]
    assert planned.current.name == "initialization"


def test_a_decay_is_never_longer_than_its_phase():
    adversarial = schedule.plan(small_config(adversarial_epochs=3, adversarial_decay_epochs=100), 4).phase(
        "adversarial"
    )
    assert (adversarial.steps, adversarial.decay_steps) == (12, 12)


@pytest.mark.parametrize("done", [(1,), (8,), (8, 2), (8, 5), (8, 5, 1), (8, 5, 16)])
def test_where_nothing_changed_the_lengths_are_the_same(done):
    again = _rest(4, *done)
    assert _lengths(again) == [8, 5, 16]
    assert [phase.decay_steps for phase in again.phases] == [4, 0, 8]


# Epochs had 4 steps, and have 40 or 2 now; in the middle of a phase, at its end and at its beginning.
@pytest.mark.parametrize(
    "done, grown, shrunk",
    [
        ((3,), [3 + 50, 5, 160], [3 + 3, 5, 8]),  # 1.25 epochs of the initialization are left
        ((8,), [8, 5, 160], [8, 5, 8]),
        ((8, 2), [8, 5, 160], [8, 5, 8]),
        ((8, 5), [8, 5, 160], [8, 5, 8]),
        ((8, 5, 6), [8, 5, 6 + 100], [8, 5, 6 + 5]),  # 2.5 epochs of adversarial training
        ((8, 5, 16), [8, 5, 16], [8, 5, 16]),
    ],
)
def test_other_data_changes_what_is_ahead_alone(done, grown, shrunk):
    assert _lengths(_rest(40, *done)) == grown
    assert _lengths(_rest(2, *done)) == shrunk


def test_a_part_of_an_epoch_is_rounded_up():
    assert _lengths(_rest(3, 8, 5, 15)) == [8, 5, 15 + 1]


@pytest.mark.parametrize("done, length", [((8, 5, 16), 16 + 40), ((8, 5, 6), 6 + 140), ((8, 5), 200), ((3,), 200)])
def test_more_epochs_are_epochs_of_the_new_data(done, length):
    assert _lengths(_rest(40, *done, adversarial_epochs=5))[2] == length


@pytest.mark.parametrize("epochs, length", [(3, 12), (2, 10), (1, 10), (5, 20)])
def test_fewer_epochs_never_take_back_what_is_done(epochs, length):
    shorter = _rest(4, 8, 5, 10, adversarial_epochs=epochs)
    assert _lengths(shorter)[2] == length and (shorter.current is None) == (epochs < 3)
    assert _lengths(_rest(4, 8, 5, 10, before=shorter)) == [8, 5, 16]  # and can be raised again


def test_a_run_that_is_done_is_finished_whatever_the_data():
    for steps_per_epoch in (1, 4, 40):
        finished = _rest(steps_per_epoch, 8, 5, 16)
        assert finished.current is None and finished.num_steps == 29


def test_changes_one_after_the_other_lose_no_epoch():
    """40 batches an epoch, then 2, then 4 again; the run is killed before a step is done in between."""
    schedules = [_rest(40, 8, 5, 6)]
    for steps_per_epoch in (2, 4):
        schedules.append(_rest(steps_per_epoch, 8, 5, 6, before=schedules[-1]))
    assert [_lengths(each)[2] for each in schedules] == [106, 11, 16]
    assert _lengths(_rest(4, 8, 5, 46, before=schedules[0]))[2] == 46 + 6  # one and a half of 2.5 epochs are left


def test_a_phase_left_behind_keeps_the_steps_that_were_done():
    """Even where they are not those that were planned."""
    assert _lengths(_rest(40, 48, 5, 6)) == [48, 5, 106]
    assert _lengths(_rest(40, 8, 3, 6)) == [8, 3, 106]


@pytest.mark.parametrize("done", [2, 6, 9, 11, 15])
@pytest.mark.parametrize("steps_per_epoch", [2, 40])
def test_rates_go_on_from_where_they_were(done, steps_per_epoch):
    before = schedule.plan(CONFIG, 4).phase("adversarial")
    after = _rest(steps_per_epoch, 8, 5, done).phase("adversarial")
    assert _share(after, done) == pytest.approx(_share(before, done), abs=0.5 / steps_per_epoch)
    assert _share(after, after.steps) == 0
    assert _share(after, after.steps - steps_per_epoch) == pytest.approx(0.5)  # as an epoch before the end ever was


def test_an_initialization_that_is_over_tells_the_batches_of_an_epoch():
    assert schedule.guess_steps_per_epoch(_done(8, 1), CONFIG) == 4
    assert schedule.guess_steps_per_epoch(_done(8, 0, 1), CONFIG) == 4
    assert schedule.guess_steps_per_epoch(_done(8), CONFIG) is None  # it may go on
    assert schedule.guess_steps_per_epoch(_done(9, 1), CONFIG) is None
    assert schedule.guess_steps_per_epoch(_done(0, 1), small_config(initialization_epochs=0)) is None


def test_a_schedule_is_read_as_it_was_written(tmp_path, capsys):
    path, written = tmp_path / "schedule.json", _rest(40, 8, 5, 6)
    assert schedule.read(path) is None
    schedule.write(path, written)
    assert schedule.read(path) == written
    schedule.write(path, schedule.plan(CONFIG, 4))
    assert schedule.read(path) == schedule.plan(CONFIG, 4)
    assert list(tmp_path.iterdir()) == [path] and not capsys.readouterr().err


def _broken(change):
    content = json.loads(json.dumps(dataclasses.asdict(schedule.plan(CONFIG, 4))))
    change(content)
    return json.dumps(content)


DAMAGES = [
    "",
    "{",
    "[]",
    "3",
    "\x00\xff",
    '{"phases": [], "steps_per_epoch": 4}',
    _broken(lambda content: content.pop("steps_per_epoch")),
    _broken(lambda content: content.update(steps_per_epoch=0)),
    _broken(lambda content: content.update(steps_per_epoch="4")),
    _broken(lambda content: content.update(phases=3)),
    _broken(lambda content: content["phases"].pop()),
    _broken(lambda content: content["phases"][0].update(steps=-1)),
    _broken(lambda content: content["phases"][0].update(steps=1.5)),
    _broken(lambda content: content["phases"][0].update(name="other")),
    _broken(lambda content: content["phases"][0].update(learning_rates=[1])),
    _broken(lambda content: content["phases"][0].update(learning_rates={"generator": None})),
    _broken(lambda content: content["phases"][0].pop("epochs")),
]


def test_a_damaged_schedule_is_reported_and_moved_aside(tmp_path, capsys):
    for number, damage in enumerate(DAMAGES):
        path = tmp_path / f"run{number}" / "schedule.json"
        path.parent.mkdir()
        path.write_bytes(damage.encode("latin-1"))
        assert schedule.read(path) is None, damage
        assert f"{path}: damaged" in capsys.readouterr().err, damage
        assert path.read_bytes() == damage.encode("latin-1")  # reading changes nothing
        schedule.write(path, schedule.plan(CONFIG, 4))
        assert schedule.read(path) == schedule.plan(CONFIG, 4), damage
        (aside,) = set(path.parent.iterdir()) - {path}
        assert aside.read_bytes() == damage.encode("latin-1"), damage
        error = capsys.readouterr().err
        assert str(path) in error and str(aside) in error, damage
