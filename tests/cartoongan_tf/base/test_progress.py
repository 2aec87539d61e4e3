import io
import itertools
import re
import subprocess
import sys
import time

import pytest

from cartoongan_tf.base import progress
from tests.helpers import REPOSITORY

SCRIPT = """
import time
from cartoongan_tf.base import progress

progress.MOST_SILENT_SECS = 1.0
progress._TICK_SECS = 0.25
with progress.reported("the program works"):
    time.sleep({secs})
    with progress.stage("reading a file"):
        time.sleep({secs})
    for _ in progress.Bar(range(1), desc="drawing"):
        time.sleep({secs})
"""


class Terminal(io.StringIO):
    """A standard error that notes when something came, and says whether it is a terminal."""

    def __init__(self, is_terminal):
        super().__init__()
        self.times = []
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal

    def write(self, text):
        self.times.append(time.monotonic())
        return super().write(text)


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("shows_a_bar", [True, False])
def test_something_is_said_or_moves_while_nothing_happens(monkeypatch, is_terminal, shows_a_bar):
    """With a quarter of the promised silence, so that it takes seconds."""
    monkeypatch.setattr(progress, "MOST_SILENT_SECS", 1.0)
    monkeypatch.setattr(progress, "_TICK_SECS", 0.25)
    screen = Terminal(is_terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    began = time.monotonic()
    with progress.reported("training works"), progress.stage("reading a file"):
        if shows_a_bar:
            with progress.Bar(total=3, desc="drawing", file=screen):
                time.sleep(2.5)
        else:
            time.sleep(2.5)
    times = [began, *screen.times, time.monotonic()]
    assert max(after - before for before, after in itertools.pairwise(times)) <= 1.25
    assert ("drawing" if shows_a_bar else "reading a file") in screen.getvalue()
    assert shows_a_bar or "training works" not in screen.getvalue()


def test_work_that_is_quick_says_nothing(capsys):
    with progress.reported("the program works"), progress.stage("reading a file"):
        time.sleep(0.1)
    assert capsys.readouterr().err == ""


def test_a_log_names_each_stage_with_its_seconds():
    script = SCRIPT.format(secs=1.5)
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for stage in ("the program works", "reading a file"):
        assert re.search(rf"^\.\.\. {stage} \(\d s\)$", done.stderr, re.MULTILINE)
    assert done.stderr.count("drawing") >= 2 and done.stdout == ""


def test_a_picture_bar_moves_within_a_picture():
    bar = progress.PictureBar(2)
    positions = []
    with bar:
        for name in ("a.jpg", "b.jpg"):
            bar.begin(name)
            for part in (0.25, 0.5):
                bar.show_part(part)
                positions.append(bar.position)
            bar.end()
            positions.append(bar.position)
    assert positions == [0.25, 0.5, 1, 1.25, 1.5, 2]
