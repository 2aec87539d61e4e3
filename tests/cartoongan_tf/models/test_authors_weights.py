import io

import numpy as np
import pytest
from PIL import Image

from cartoongan_tf import Cartoonizer, import_weights
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.inference.tflite_facts import find_beside
from cartoongan_tf.media import pictures
from cartoongan_tf.media.image_measures import psnr
from cartoongan_tf.models import authors_files, authors_weights, pixels
from cartoongan_tf.models.generator_file import load_generator
from export import drawing_file
from tests.helpers import run_cartoonize


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Arrays of the authors' names and shapes, small and random."""
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.normal(0, 0.05, shape).astype(np.float32)

    arrays = {}
    shapes = {"conv01_1": (64, 3, 7, 7), "conv02_1": (128, 64, 3, 3), "conv02_2": (128, 128, 3, 3)}
    shapes |= {"conv03_1": (256, 128, 3, 3), "conv03_2": (256, 256, 3, 3)}
    shapes |= {f"conv{block:02}_{part}": (256, 256, 3, 3) for block in range(4, 12) for part in (1, 2)}
    for name, shape in shapes.items():
        arrays |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(shape[0])}
    transposed = {"deconv01_1": (256, 128), "deconv02_1": (128, 64)}
    straight = {"deconv01_2": (128, 128, 3, 3), "deconv02_2": (64, 64, 3, 3), "deconv03_1": (3, 64, 7, 7)}
    arrays |= {f"{name}.weight": draw(*channels, 3, 3) for name, channels in transposed.items()}
    arrays |= {f"{name}.bias": draw(channels[1]) for name, channels in transposed.items()}
    for name, shape in straight.items():
        arrays |= {f"{name}.weight": draw(*shape), f"{name}.bias": draw(shape[0])}
    norms = {"in01_1": 64, "in02_1": 128, "in03_1": 256, "in12_1": 128, "in13_1": 64}
    norms |= {f"in{block:02}_{part}": 256 for block in range(4, 12) for part in (1, 2)}
    for name, channels in norms.items():
        arrays |= {f"{name}.scale": 1 + draw(channels), f"{name}.shift": draw(channels)}
    return arrays


def test_kernels_and_channels_are_turned_round(weights):
    generator = authors_weights.generator_from_weights(weights)
    flat = generator.get_layer("flat_conv").kernel.numpy()
    assert flat[2, 5, 0, 7] == weights["conv01_1.weight"][7, 2, 2, 5]  # our red is their last channel
    output = generator.get_layer("output_conv")
    assert output.kernel.numpy()[1, 3, 9, 2] == weights["deconv03_1.weight"][0, 9, 1, 3]
    np.testing.assert_array_equal(output.bias.numpy(), weights["deconv03_1.bias"][::-1])
    up = generator.get_layer("up1_conv1").kernel.numpy()  # HWOI
    assert up[0, 2, 100, 200] == weights["deconv01_1.weight"][200, 100, 0, 2]


def _without(weights, name):
    return {key: value for key, value in weights.items() if key != name}


@pytest.mark.parametrize(
    "change, named",
    [
        (lambda w: _without(w, "conv05_2.bias"), r"conv05_2\.bias \(256,\) is missing"),
        (lambda w: w | {"in04_1.scale": np.ones(128)}, r"in04_1\.scale has shape \(128,\), not \(256,\)"),
        (lambda w: w | {"extra.weight": np.ones(3)}, r"no extra\.weight \(3,\)"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, change, named):
    with pytest.raises(InputError, match=named):
        authors_weights.generator_from_weights(change(weights))


def test_every_form_of_the_file_gives_the_same_arrays(weights, tmp_path):
    np.savez(tmp_path / "some.npz", **weights)
    (tmp_path / "arrays").mkdir()
    for name, array in weights.items():
        np.save(tmp_path / "arrays" / f"{name}.npy", array)
    for path in (tmp_path / "some.npz", tmp_path / "arrays"):
        read = authors_files.read_weights(path)
        assert read.keys() == weights.keys()
        assert all(np.array_equal(read[name], array) for name, array in weights.items())


class Code:
    """An object that a pickle makes by running code."""

    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("legacy", [False, True])
def test_pytorch_files_are_read_through_torch(weights, tmp_path, legacy):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[benchmark]'")
    state = {name: torch.from_numpy(array) for name, array in weights.items()}
    torch.save(state, tmp_path / "some.pth", _use_new_zipfile_serialization=not legacy)
    read = authors_files.read_weights(tmp_path / "some.pth")
    assert read.keys() == weights.keys()
    assert all(np.array_equal(read[name], array) for name, array in weights.items())
    torch.save({name: torch.nn.Parameter(tensor) for name, tensor in state.items()}, tmp_path / "some.pth")
    assert authors_files.read_weights(tmp_path / "some.pth").keys() == weights.keys()
    torch.save({"a": Code()}, tmp_path / "code.pth")
    with pytest.raises(InputError, match=r"code\.pth: damaged"):  # what the file would run is not run
        authors_files.read_weights(tmp_path / "code.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match=r"list\.pth: holds no state dict"):
        authors_files.read_weights(tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(InputError, match=r"text\.pth: damaged"):
        authors_files.read_weights(tmp_path / "text.pth")


def test_folders_without_usable_arrays_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no \.npy file"):
        authors_files.read_weights(tmp_path)
    (tmp_path / "conv01_1.weight.npy").write_text("hello")
    with pytest.raises(InputError, match=r"conv01_1\.weight\.npy: damaged"):
        authors_files.read_weights(tmp_path)


def test_the_program_says_which_file_does_not_fit(weights, tmp_path, capsys):
    np.savez(tmp_path / "some.npz", **_without(weights, "conv01_1.weight"))
    output = tmp_path / "out.keras"
    assert import_weights.main(["x", f"--weights={tmp_path}/some.npz", f"--output={output}"]) == 1
    assert "some.npz" in (error := capsys.readouterr().err) and "conv01_1.weight" in error
    assert not output.exists()


def test_a_generator_is_written_over_only_when_told(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(drawing_file, "write_beside", lambda path: path.with_suffix(".tflite"))
    np.savez(tmp_path / "some.npz", **weights)
    (tmp_path / "out.keras").write_text("precious")
    flags = [f"--weights={tmp_path}/some.npz", f"--output={tmp_path}/out.keras"]
    assert import_weights.main(["x", *flags]) == 1
    error = capsys.readouterr().err
    assert f"--output={tmp_path}/out.keras" in error and "--overwrite" in error
    assert (tmp_path / "out.keras").read_text() == "precious"
    assert import_weights.main(["x", *flags, "--overwrite"]) == 0
    load_generator(tmp_path / "out.keras")


def _damaged_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, a=np.arange(10_000))
    data = bytearray(file.getvalue())
    data[100:140] = bytes(40)
    return bytes(data)


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"hello", _damaged_npz(), _npy(), None])
def test_files_that_are_no_npz_are_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz"):
        authors_files.read_weights(tmp_path / "a.npz")


def _enlarge(picture, height, width):
    """Bilinear, corner pixels on corner pixels, places in float32: as the authors' test script enlarges."""
    picture = picture.astype(np.float32)
    for axis, size in ((0, height), (1, width)):
        place = np.arange(size, dtype=np.float32) * np.float32((picture.shape[axis] - 1) / (size - 1))
        low = np.minimum(place.astype(int), picture.shape[axis] - 2)
        share = (place - low).reshape([-1 if i == axis else 1 for i in range(3)])
        picture = picture.take(low, axis) * (1 - share) + picture.take(low + 1, axis) * share
    return picture


@pytest.fixture(scope="module")
def hayao(assets, tmp_path_factory):
    path = tmp_path_factory.mktemp("hayao") / "hayao.keras"
    assert import_weights.main(["x", f"--weights={assets}/authors/hayao.npz", f"--output={path}"]) == 0
    return path


@pytest.mark.slow
def test_hayao_draws_what_the_authors_network_draws(assets, hayao):
    """Parity with the released network, borders included: its recorded output for a 64 px picture."""
    fixture = np.load(assets / "authors" / "hayao_fixture_64.npz")
    drawn = np.asarray(load_generator(hayao)(fixture["input_bgr_nhwc"][..., ::-1]))[..., ::-1]
    np.testing.assert_allclose(drawn, fixture["hayao_out_bgr_nhwc_eps1e-5"], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in1", "in2"])
def test_hayao_reproduces_the_published_pictures(assets, hayao, name):
    """The cartoons published beside the weights, by the recipe that made them: sides scaled to 450 px, float input."""
    photo = pictures.read_picture(assets / "authors" / "pairs" / f"{name}.png")
    published = pictures.read_picture(assets / "authors" / "pairs" / f"{name}_hayao.png")
    height, width = (side * 450 // max(photo.shape[:2]) for side in photo.shape[:2])
    enlarged = _enlarge(photo, height, width)
    drawn = np.asarray(load_generator(hayao)((enlarged[np.newaxis] / 127.5 - 1).astype(np.float32)))[0]
    assert psnr(np.floor(255 * (drawn / 2 + 0.5)), published) >= 90
    # The same through uint8 pixels, as cartoonize takes and gives them: rounding costs this much.
    rounded = Cartoonizer.load(hayao)(enlarged.round().astype(np.uint8))
    assert psnr(rounded, published[:height, :width]) >= 40


@pytest.mark.slow
def test_hayao_draws_a_photo(assets, hayao, tmp_path):
    """The authors' weights on a real photo through the program, by the .tflite file that the import writes."""
    small = tmp_path / "small.png"
    with Image.open(min((assets / "photos").glob("*.jpg"))) as picture:
        picture.resize((96, 64)).save(small)
    assert run_cartoonize(hayao, small) == 0
    photo = pictures.read_picture(small)
    cartoon = pictures.read_picture(tmp_path / "small-cartoon.png").astype(int)
    assert 4 < np.abs(cartoon - photo).mean() < 80
    assert find_beside(hayao)
    assert np.abs(cartoon - np.asarray(pixels.cartoonize(load_generator(hayao), photo[np.newaxis]))[0]).max() <= 1
