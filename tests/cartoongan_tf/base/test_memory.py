import subprocess
import sys

import numpy as np
import psutil

from cartoongan_tf.base import memory


def test_it_is_what_the_machine_has_at_hand():
    assert 10e6 < memory.available_bytes() <= psutil.virtual_memory().total


def test_the_peak_is_this_process_s_own_and_not_that_of_the_one_that_started_it():
    held = np.ones(500_000_000, np.uint8)
    assert memory.peak_bytes() > held.nbytes
    code = "from cartoongan_tf.base import memory; print(memory.peak_bytes())"
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 5e6 < int(started.stdout) < 200e6 and held.sum() == held.size


def test_the_limits_of_a_container_and_of_those_around_it_count(tmp_path, monkeypatch):
    """Control groups' files, as Linux writes them."""
    inner = tmp_path / "groups" / "outer" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/outer/inner\n")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "_OWN_GROUP", tmp_path / "own")
    assert memory.available_bytes() > 60_000_000
    for group, limit in ((inner.parent, "100000000"), (inner, "max")):
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text("70000000\n")
        (group / "memory.stat").write_text("anon 40000000\ninactive_file 30000000\n")
    assert memory.available_bytes() == 60_000_000
    (inner / "memory.max").write_text("80000000\n")
    assert memory.available_bytes() == 40_000_000
    monkeypatch.setattr(memory, "_OWN_GROUP", tmp_path / "none")
    assert memory.available_bytes() > 60_000_000
