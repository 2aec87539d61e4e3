import signal

import pytest

from benchmarks import hosts, virtual_hosts
from benchmarks.host_faults import Ending, Outcome, table
from tests.helpers import table_rows

SIZES = ["--image_size=32", "--generator_width=16", "--generator_num_blocks=2", "--discriminator_width=4"]


def test_flags_that_cannot_be_used(capsys):
    for flag in ("--parts=all", "--steps=9", "--batch_size=3", "--image_size=34"):
        assert hosts.main(["hosts", flag]) == 2, flag
        assert flag in capsys.readouterr().err


def test_a_machine_without_tools_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert hosts.main(["hosts"]) == 1
    error = capsys.readouterr().err
    assert "no virtual hosts: " in error and ("apt-get install iproute2" in error or "need Linux and root" in error)


def test_the_table_of_faults(tmp_path):
    path = tmp_path / "table.md"
    killed = {1: Ending(-signal.SIGKILL, 0.0), 0: Ending(1, 3.24)}
    outcomes = {
        "a cut": Outcome({}, "", None, None, 9.6),
        "a kill": Outcome(killed, "lost (reason). Start", 70, 70, 30.0),
    }
    path.write_text("\n".join(table(outcomes)))
    rows = table_rows(path)
    assert rows["a cut"] == ["trains on", "trains on", "", "", "", "10"]
    assert rows["a kill"] == ["status 1 after 3.2 s", "killed", "lost (reason)", "70", "70", "30"]


@pytest.mark.slow
@pytest.mark.skipif(bool(virtual_hosts.reason_against()), reason=virtual_hosts.reason_against() or "-")
def test_the_table_of_traffic(tmp_path):
    output = tmp_path / "hosts.md"
    flags = [*SIZES, "--parts=traffic", "--rates=1gbit", f"--output={output}"]
    assert hosts.main(["hosts", *flags]) == 0
    rows = [line.split(" | ") for line in output.read_text().splitlines() if "bfloat16 |" in line]
    assert [row[0].removeprefix("| ") for row in rows] == ["initialization"] * 2 + ["adversarial"] * 2
    for _, _, _, megabytes, of_float32, secs in rows:
        assert float(megabytes) > 0 and 0.49 < float(of_float32) < 0.55 and float(secs.removesuffix(" |")) > 0
    assert "the weights on the hosts differ by at most 0." in output.read_text()
