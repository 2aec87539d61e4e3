"""What the tests share: real small pictures, records and networks, and TensorFlow with two logical CPU devices."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf.base import program
from tests.helpers import REPOSITORY, build_records, draw

_SYSTEM_ALLOCATOR = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"
RESEARCH = (REPOSITORY / "tests" / "experiments", REPOSITORY / "tests" / "benchmarks")
LONGEST_FILES = (  # of slow tests; they start first, so that no worker is left alone with one of them
    "tests/test_package.py",
    "tests/test_readme.py",
    "tests/cartoongan_tf/training/test_multi_worker.py",
    "tests/cartoongan_tf/training/test_resume.py",
    "tests/export/test_export_model.py",
)
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" in os.environ and config.option.markexpr == "not slow":
        os.environ.update(dict.fromkeys(THREADS, "1"))  # there are as many workers as cores: threads would wait
    os.environ[_SYSTEM_ALLOCATOR] = "1"  # oneDNN's own keeps all memory that it ever took: findings/
    program.start_tensorflow()
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.zeros([1])  # the allocator is chosen here; processes that tests start have the default one
    del os.environ[_SYSTEM_ALLOCATOR]


def pytest_collection_modifyitems(config, items):
    for item in items:
        if "slow" in item.keywords and any(map(item.path.is_relative_to, RESEARCH)):
            item.add_marker("research")
    if config.option.markexpr != "not slow":
        ranks = {REPOSITORY / name: rank for rank, name in enumerate(LONGEST_FILES)}
        items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture
def small_networks():
    """Let training build networks of a layer or two."""
    from tests import small_runs

    with small_runs.small_networks():
        yield


@pytest.fixture(scope="module")
def small_measures():
    """Let evaluations measure by one random convolution, not VGG19."""
    from tests import small_runs

    with small_runs.small_measures():
        yield


@pytest.fixture(autouse=True)
def draw_in_this_process(request, monkeypatch):
    """Let `cartoonize` draw without a process of its own, which takes seconds to start; the mark `isolated` has it."""
    from cartoongan_tf import cartoonize
    from cartoongan_tf.inference.cartoonizer import Cartoonizer

    @contextlib.contextmanager
    def cartoonizer_of_this_process(model, method, drawing_size, on_progress):
        cartoonizer = Cartoonizer.load(model, method, on_progress, drawing_size)
        cartoonizer.load = lambda: None
        yield cartoonizer

    if "isolated" not in request.keywords:
        monkeypatch.setattr(cartoonize, "isolated_cartoonizer", cartoonizer_of_this_process)


@pytest.fixture(scope="session")
def picture_folders(tmp_path_factory) -> tuple[Path, Path]:
    """(photos, frames): two folders of real picture files, with a subfolder and files that are no pictures."""
    root = tmp_path_factory.mktemp("pictures")
    photos, frames = root / "photos", root / "frames"
    (photos / "holiday").mkdir(parents=True)
    frames.mkdir()
    for seed in range(7):
        folder = photos / "holiday" if seed % 2 else photos
        Image.fromarray(draw(seed, 50 + seed, 70)).save(folder / f"photo{seed}.jpg", quality=95)
    for seed in range(5):
        Image.fromarray(draw(100 + seed, 64, 48 + seed)).save(frames / f"frame{seed}.png")
    (photos / "notes.txt").write_text("not a picture")
    (frames / "broken.png").write_bytes((frames / "frame0.png").read_bytes()[:200])
    return photos, frames


@pytest.fixture(scope="session")
def data_dir(picture_folders, tmp_path_factory) -> Path:
    """Training records of 32 px: 7 photos, 5 cartoons."""
    return build_records(picture_folders, tmp_path_factory.mktemp("data") / "records")


@pytest.fixture(scope="session")
def generator_path(tmp_path_factory) -> Path:
    """A small generator file of the paper's architecture."""
    return _write_generator("paper", tmp_path_factory.mktemp("model") / "generator.keras")


@pytest.fixture(scope="session")
def light_path(tmp_path_factory) -> Path:
    """The same of the light one's."""
    return _write_generator("light", tmp_path_factory.mktemp("light") / "generator.keras")


@pytest.fixture(scope="session")
def narrow_path(tmp_path_factory) -> Path:
    """The same of the narrow one's."""
    return _write_generator("narrow", tmp_path_factory.mktemp("narrow") / "generator.keras")


def _write_generator(kind: str, path: Path) -> Path:
    """Its weights are of a trained one's size: fresh ones draw grey or the photo, and with shifts of zero they blow the
    rounding noise of a flat picture up to its colours."""
    from cartoongan_tf.models.generator import build_generator
    from cartoongan_tf.models.generator_file import save_generator

    rng = np.random.default_rng(1)
    generator = build_generator(kind, width=4, num_blocks=1)
    fixed = [
        weights if weights.ndim == 1 else 0.0 * weights for weights in generator.get_weights()
    ]  # kernels have no seed
    generator.set_weights([weights + rng.normal(0, 0.2, weights.shape) for weights in fixed])
    save_generator(generator, path)
    return path


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of photos, drawings and weights that CARTOONGAN_ASSETS names."""
    if "CARTOONGAN_ASSETS" not in os.environ:
        pytest.skip("CARTOONGAN_ASSETS is not set: the real photos and the authors' weights are not here")
    return Path(os.environ["CARTOONGAN_ASSETS"])


@pytest.fixture(scope="session")
def two_replicas():
    """MirroredStrategy over two CPU devices; one for all tests, as two in one process share their collectives' keys."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
