import psutil

from cartoongan_tf import memory


def test_it_is_what_the_machine_has_at_hand():
    assert 10e6 < memory.available_bytes() <= psutil.virtual_memory().total


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    """A control group's files, as Linux writes them."""
    (tmp_path / "memory.max").write_text("100000000\n")
    (tmp_path / "memory.current").write_text("70000000\n")
    (tmp_path / "memory.stat").write_text("anon 40000000\ninactive_file 30000000\n")
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    assert memory.available_bytes() == 60_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() > 60_000_000
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path / "none")
    assert memory.available_bytes() > 60_000_000
