"""The check of a version, with sessions that answer wrongly in one respect."""

import io
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import pixels
from export.reference import Reference
from export.serving import check
from export.serving.requests import predict_request, read_warmup
from tests.export.serving.mutations import encode
from tests.helpers import draw

pytestmark = pytest.mark.slow
PHOTO = draw(0, 104, 70)  # taller than the pictures that the check makes


class WrongSession:
    """A session whose answers are changed by a function of the signature, the inputs and the answer."""

    def __init__(self, session, change):
        self._session = session
        self._change = change

    def __getattr__(self, name):
        return getattr(self._session, name)

    def predict(self, signature, **inputs):
        try:
            answer = self._session.predict(signature, **inputs)
        except tf.errors.InvalidArgumentError:
            answer = None
        answer = self._change(signature, inputs, answer)
        if answer is None:
            raise tf.errors.InvalidArgumentError(None, None, "not a picture")
        return answer


@pytest.fixture
def run(generator, session, version):
    """Check the exported version, with the changed answers or with other warm-up requests."""

    def run(change=None, warmup=None):
        warmup = read_warmup(version) if warmup is None else warmup
        return check.check_version(
            WrongSession(session, change) if change else session, warmup, Reference(generator, [PHOTO]), "demo/1"
        )

    return run


def _moved(picture, levels):
    """A picture in which every value differs by as many levels."""
    picture = picture.astype(int)
    return np.where(picture < 128, picture + levels, picture - levels).astype(np.uint8)


def _moved_png(content, levels):
    return encode(Image.fromarray(_moved(np.asarray(Image.open(io.BytesIO(content))), levels)), "PNG")


def test_the_results_of_a_good_version(run):
    proof = run()
    assert proof.largest_difference <= 1 and proof.num_pictures == 12 and proof.parity.psnr_db > 50
    assert proof.parity.num_photos == 1
    assert proof.num_warmup_requests == 4 and proof.num_threads == 8
    assert {"Conv2D", "DecodePng", "DecodeJpeg", "ResizeArea"} <= set(proof.operators)
    assert "12 pictures" in str(proof) and "8 threads" in str(proof)


def test_one_grey_level_is_accepted_and_two_are_not(generator, run):
    def moved_by(levels):
        def change(signature, inputs, answer):
            if signature != "serving_default":
                return answer
            return {"cartoon": _moved(np.asarray(pixels.cartoonize(generator, inputs["image"])), levels)}

        return change

    proof = run(moved_by(1))
    assert proof.largest_difference == 1 and proof.parity.psnr_db == pytest.approx(48.13, abs=0.01)  # 255 / 1
    with pytest.raises(InputError, match=r"demo/1.* 2 grey levels"):
        run(moved_by(2))


def test_a_difference_on_photos_alone_is_noticed(run):
    def change(_, inputs, answer):
        is_photo = "image" in inputs and inputs["image"].shape[1] == PHOTO.shape[0]
        return {"cartoon": _moved(answer["cartoon"], 9)} if is_photo else answer

    with pytest.raises(InputError, match="grey levels"):
        run(change)


def _change_of_one_file(wrong_signature, num_files, wrong_index):
    def change(signature, inputs, answer):
        if signature != wrong_signature or len(inputs["image_bytes"]) != num_files:
            return answer
        contents = list(answer["cartoon_bytes"])
        contents[wrong_index] = _moved_png(contents[wrong_index], 9)
        return {"cartoon_bytes": contents}

    return change


def test_a_difference_in_one_file_is_noticed(run):
    """The differences are those of the four formats, of the shrunk photo and of the blend."""
    for wrong_signature, num_answers in (("encoded", 4), ("styled", 2)):
        for wrong_index in range(num_answers):
            change = _change_of_one_file(wrong_signature, num_answers, wrong_index)
            with pytest.raises(InputError, match="grey levels"):
                run(change)


def test_pictures_of_another_size_are_noticed(run):
    with pytest.raises(InputError, match="shape"):
        run(lambda signature, _, answer: {"cartoon": answer["cartoon"][:, 1:]} if "cartoon" in answer else answer)


def test_cartoons_of_damaged_pictures_are_noticed(run):
    for damaged in (b"", b"not a picture", b"GIF89a cut short"):

        def change(signature, inputs, answer, damaged=damaged):
            is_it = signature == "encoded" and inputs["image_bytes"] == [damaged]
            return {"cartoon_bytes": [b"cartoon"]} if is_it else answer

        with pytest.raises(InputError, match="demo/1"):
            run(change)


def test_a_wrong_status_is_noticed(run):
    """That of a picture that was drawn, or of bytes that are none."""
    for place, status in ((0, "damaged"), (1, ""), (3, "")):

        def change(signature, inputs, answer, place=place, status=status):
            if signature == "each" and len(inputs["image_bytes"]) == 4:
                answer["status"][place] = status
            return answer

        with pytest.raises(InputError, match="demo/1: does not tell"):
            run(change)


def test_other_colors_than_those_of_cartoonize_are_noticed(run):
    def change(signature, inputs, answer):
        if signature == "each" and len(inputs["image_bytes"]) == 2:
            answer["cartoon_bytes"][1] = _moved_png(answer["cartoon_bytes"][1], 5)
        return answer

    with pytest.raises(InputError, match="demo/1: keep_colors"):
        run(change)


def test_other_answers_to_several_clients_are_noticed(run):
    def change(_signature, _inputs, answer):
        is_alone = threading.current_thread() is threading.main_thread()
        return answer if is_alone else {"cartoon_bytes": [answer["cartoon_bytes"][0] + b"\0"]}

    with pytest.raises(InputError, match="8 clients"):
        run(change)


def test_missing_and_failing_warm_up_requests_are_noticed(run, version):
    good = predict_request("demo", "encoded", {"image_bytes": [encode(draw(0), "PNG")]})
    with pytest.raises(InputError, match="each, serving_default, styled"):
        run(warmup=[good])
    bad = predict_request("demo", "encoded", {"image_bytes": [b"hello"]})
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a picture"):
        run(warmup=[*read_warmup(version), bad])


@pytest.fixture(scope="module")
def graph_with_python(tmp_path_factory):
    """A graph that calls Python from inside a loop's body, which stands in the library of functions alone."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def calls_python(values):
        inside = tf.function(lambda value: tf.numpy_function(np.sin, [value], tf.float32))
        return {"values": tf.map_fn(lambda value: tf.ensure_shape(inside(value), []), values)}

    folder = tmp_path_factory.mktemp("python") / "1"
    archive = keras.export.ExportArchive()
    archive.add_endpoint("serving_default", calls_python)
    archive.write_out(str(folder), verbose=False)
    content = (folder / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].graph_def


def test_operators_that_a_server_does_not_have_are_noticed_in_functions_too(graph_with_python, generator, session):
    assert check.foreign_operators(graph_with_python) == {"PyFunc"}
    assert "PyFunc" not in {node.op for node in graph_with_python.node}
    wrong = WrongSession(session, None)
    wrong.graph_def = graph_with_python
    with pytest.raises(InputError, match=r"demo/1.*PyFunc"):
        check.check_version(wrong, [], Reference(generator, [PHOTO]), "demo/1")
