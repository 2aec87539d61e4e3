import os

from cartoongan_tf.base import machine


def test_threads_are_limited_as_tensorflow_reads_it(monkeypatch):
    usable = len(os.sched_getaffinity(0))
    for text, expected in (("", usable), ("0", usable), ("many", usable), ("3", 3)):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", text)
        assert machine.num_threads() == expected
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "")
    machine.limit_threads(1)
    assert machine.num_threads() == 1 and os.environ["TF_NUM_INTEROP_THREADS"] == "1"
