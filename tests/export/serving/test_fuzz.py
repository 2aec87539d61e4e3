"""Thousands of damaged picture files in one process with a server's session: it must not crash, and not grow."""

import collections
import json
import os
import subprocess
import sys

import pytest

from cartoongan_tf.models.generator_file import load_generator
from export.serving import saved_model
from tests.export.serving.mutations import mutated_files
from tests.helpers import REPOSITORY, draw

NUM_FILES = 2000
NUM_WARM_UP = 200
MAX_PIXELS = 64 * 64
ONE = {"strength": [1.0], "long_side": [0], "keep_colors": [False], "format": ["png"]}


@pytest.mark.slow
def test_no_bytes_crash_it_or_make_it_grow(generator_path, tmp_path):
    saved_model.write_version(load_generator(generator_path), tmp_path / "1", "demo", draw(0), MAX_PIXELS)
    command = [sys.executable, "-m", "tests.export.serving.test_fuzz", str(tmp_path / "1")]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-2000:]
    outcome = json.loads(result.stdout)
    print(outcome)
    assert set(outcome["answers"]) == {"drawn", "INVALID_ARGUMENT"}
    assert all(count > 100 for count in outcome["answers"].values())  # enough of both
    before, after = outcome["kilobytes"]
    assert after < 1.1 * before


def main(folder: str) -> None:
    from cartoongan_tf.base import program

    program.start_tensorflow()
    import tensorflow as tf

    from export.serving.session import ServingSession

    session = ServingSession(folder)
    answers = collections.Counter()
    kilobytes = []
    for index, (_, content) in enumerate(mutated_files(NUM_WARM_UP + NUM_FILES)):
        if index == NUM_WARM_UP:  # the allocator has its arenas now
            kilobytes.append(_resident_kilobytes())
        try:
            session.predict("encoded", image_bytes=[content])
            answer = "drawn"
        except tf.errors.OpError as error:
            answer = type(error).__name__.replace("InvalidArgumentError", "INVALID_ARGUMENT")
        answers[answer] += 1
        each = session.predict("each", image_bytes=[content], **ONE)
        if bool(each["cartoon_bytes"][0]) != (answer == "drawn") or bool(each["status"][0]) == (answer == "drawn"):
            answers["each differs"] += 1
    kilobytes.append(_resident_kilobytes())
    print(json.dumps({"answers": answers, "kilobytes": kilobytes}))


def _resident_kilobytes() -> int:
    import psutil

    return psutil.Process(os.getpid()).memory_info().rss // 1024


if __name__ == "__main__":
    main(sys.argv[1])
