import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from cartoongan_tf.base.errors import InputError
from export.serving import layout


def _version(folder, model, version):
    (folder / model / version).mkdir(parents=True)
    (folder / model / version / "saved_model.pb").touch()


def test_the_config_names_every_model_where_the_server_sees_it(tmp_path):
    for model, version in (("sun", "1"), ("sun", "12"), ("rain", "3"), ("half", ".1.99.partial"), (".hidden", "1")):
        _version(tmp_path, model, version)
    (tmp_path / "notes" / "1").mkdir(parents=True)
    assert layout.models(tmp_path) == ["rain", "sun"]
    text = layout.config_text(["rain", "sun"])
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    models = {model.name: (model.base_path, model.model_platform) for model in config.model_config_list.config}
    assert models == {"rain": ("/models/rain", "tensorflow"), "sun": ("/models/sun", "tensorflow")}


def test_a_config_that_no_server_can_read_is_named():
    for text in ("model_config_list { config { nam: 1 } }", "{", "model_config_list {"):
        with pytest.raises(InputError, match=r"models\.config"):
            layout.parse_config(text, "models.config")


def test_the_readme_has_this_models_name_and_limits():
    text = layout.readme_text("sun", ["rain", "sun"], 4_194_304, 800, 1152.0, 4e6)
    for part in (
        "models/sun:predict",
        "--model=sun",
        "4,194,304",
        "drawing size is 800 pixels",
        "41,943,040",
        "4.8 GB",
        "1,152 MB",
        "docker run",
        "rain, sun",
    ):
        assert part in text
    assert "--enable_batching" in text and "{{" not in text
