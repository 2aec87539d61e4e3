import re
from importlib import metadata

from export.serving import layout
from export.serving.deployment.server import FLAGS, IMAGE


def test_the_image_is_pinned_to_the_tensorflow_that_exports():
    (version,) = re.findall(r"^tensorflow/serving:(\d+\.\d+)\.\d+$", IMAGE)
    for package in ("tensorflow", "tensorflow-serving-api"):
        assert metadata.version(package).startswith(f"{version}."), package


def test_the_readme_starts_the_same_server():
    text = layout.readme_text("sun", ["sun"], 4_000_000, 1000, 500.0, 4e6).replace(" \\\n", "")
    (command,) = re.findall(r"^docker run .* -v .*", text, re.MULTILINE)
    assert command.split()[-len(FLAGS) - 1 :] == [IMAGE, *FLAGS]
    for part in ("500 MB", "3.0 GB for 4 files", "9.0 GB for 4 of the largest", "/v1/models/sun", "below"):
        assert part in text
