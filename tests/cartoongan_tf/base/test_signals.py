import os
import signal
import threading

import pytest

from cartoongan_tf.base.signals import stop_requests


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_is_noted_and_a_second_one_interrupts(number, capsys):
    before = [signal.signal(each, _handle) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), stop_requests() as received:
        assert received() == 0
        os.kill(os.getpid(), number)
        assert received() == number and "saving after this step" in capsys.readouterr().err
        os.kill(os.getpid(), number)
    for each, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
        assert signal.signal(each, handler) is _handle


def _handle(number, frame):
    raise AssertionError(number)


def test_other_threads_change_nothing():
    seen = []

    def work():
        with stop_requests() as received:
            seen.append((received(), signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, signal.getsignal(signal.SIGTERM))]
