import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cartoongan_tf import pixels
from cartoongan_tf.checkpoints import load_generator
from export import saved_model
from tests.helpers import REPOSITORY, draw


@pytest.fixture(scope="module")
def generator(generator_path):
    return load_generator(generator_path)


@pytest.fixture(scope="module")
def version(generator, tmp_path_factory):
    return saved_model.export_saved_model(generator, tmp_path_factory.mktemp("serving") / "demo")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 3), (3, 61, 83), (2, 64, 32)])
def test_the_servers_session_draws_what_keras_draws(generator, version, shape):
    batch, height, width = shape
    images = np.stack([draw(seed, height, width) for seed in range(batch)])
    cartoons = saved_model.load_in_session(version)(images)
    assert cartoons.dtype == np.uint8 and cartoons.shape == images.shape
    assert np.abs(cartoons.astype(int) - np.asarray(pixels.cartoonize(generator, images))).max() <= 1


def test_the_signature_is_the_documented_one(version):
    """Read by saved_model_cli, in a process that has nothing of ours, and run there as the server would."""
    np.save(version.parent / "image.npy", draw(0, 10, 14)[None])
    cli = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli"]
    signature = ["--dir", str(version), "--tag_set", "serve", "--signature_def", "serving_default"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1"}
    arguments = {
        "cwd": version.parent,
        "env": environment,
        "capture_output": True,
        "text": True,
        "timeout": 120,
    }
    shown = subprocess.run([*cli, "show", *signature], **arguments)
    assert "inputs['image']" in shown.stdout and "DT_UINT8" in shown.stdout and "outputs['cartoon']" in shown.stdout
    ran = subprocess.run([*cli, "run", *signature, "--inputs", "image=image.npy", "--outdir", "out"], **arguments)
    assert ran.returncode == 0, ran.stderr
    cartoon = np.load(version.parent / "out" / "cartoon.npy")
    assert np.abs(cartoon.astype(int) - saved_model.load_in_session(version)(draw(0, 10, 14)[None])).max() <= 1


def test_every_weight_is_stored_once(generator, version):
    stored = sum(path.stat().st_size for path in (version / "variables").glob("variables.data*"))
    assert generator.count_params() * 4 <= stored < generator.count_params() * 4 * 1.2


def test_versions_count_up_and_leave_nothing_else(generator, tmp_path):
    (tmp_path / "demo" / "7").mkdir(parents=True)
    assert saved_model.export_saved_model(generator, tmp_path / "demo") == tmp_path / "demo" / "8"
    assert sorted(os.listdir(tmp_path / "demo")) == ["7", "8"]


def test_a_wrong_export_fails_and_leaves_nothing(generator, tmp_path, monkeypatch):
    """The check runs what was written: written from another generator, it must notice."""
    write = saved_model._write
    monkeypatch.setattr(saved_model, "_write", lambda _, folder: write(lambda photo: photo, folder))
    with pytest.raises(ValueError, match="grey levels"):
        saved_model.export_saved_model(generator, tmp_path / "demo")
    assert not os.listdir(tmp_path / "demo")


def test_no_operator_needs_more_than_a_stock_server(version):
    script = f"""
import json, sys
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry
with open({str(version / "saved_model.pb")!r}, "rb") as file:
    graph = SavedModel.FromString(file.read()).meta_graphs[0].graph_def
fields = {{field.name: value for field, value in graph.ListFields()}}
functions = fields["library"].function
ops = {{n.op for n in graph.node}} | {{n.op for f in functions for n in f.node_def}}
names = {{f.signature.name for f in functions}}
print(json.dumps(sorted(op for op in ops - names if op_def_registry.get(op) is None or "Py" in op)))
"""
    result = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert json.loads(result.stdout) == []
