import pytest

from cartoongan_tf.base.errors import InputError
from export import export_model
from export.config import ExportConfig

UNUSABLE = [
    ("--name=a/b", "--name"),
    ("--name=", "--name"),
    ("--name=..", "--name"),
    ("--name=größe", "--name"),
    ("--name=a b", "--name"),
    ("--formats=fp8", "--formats"),
    ("--formats=,", "--formats"),
    ("--fixed_size=512", "--fixed_size"),
    ("--fixed_size=510x512", "--fixed_size"),
    ("--fixed_size=4x512", "--fixed_size"),
    ("--fixed_size=20000x20000", "--fixed_size"),
    ("--max_pixels=82943", "--max_pixels"),
    ("--max_pixels=99999999999999999999999", "--max_pixels"),
    ("--model_version=-1", "--model_version"),
    ("--model_version=9999999999999999999", "--model_version"),
    ("--formats=fp32|--model_version=3", "--model_version"),
    ("--calibration_dir=photos", "--calibration_dir"),
    ("--formats=int8_full", "--calibration_dir"),
]


def _fields(**fields):
    return {"output_dir": "out", "model": "a.keras", "name": "demo", **fields}


@pytest.mark.parametrize("flags, name", UNUSABLE)
def test_flags_that_cannot_be_used(flags, name):
    fields = _fields()
    for flag in flags.split("|"):
        field, _, value = flag.removeprefix("--").partition("=")
        fields[field] = int(value) if field in ("max_pixels", "model_version") else value
    with pytest.raises(InputError, match=name):
        ExportConfig(**fields)


def test_the_program_ends_with_status_2_and_writes_nothing(tmp_path, capsys):
    flags = ["--model=a.keras", "--name=demo", f"--output_dir={tmp_path / 'out'}", "--formats=fp8"]
    assert export_model.main(["export", *flags]) == 2
    assert "--formats=fp8" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_limits_are_accepted_themselves():
    fields = _fields(fixed_size="8x4096", max_pixels=288**2, model_version=2**63 - 1, name="a" * 100)
    assert ExportConfig(**fields).fixed_size_px == (8, 4096)
    assert ExportConfig(**_fields(fixed_size="")).fixed_size_px is None
    assert ExportConfig(**_fields(formats="int8_full", calibration_dir="photos")).format_names == ["int8_full"]


def test_formats_have_an_order_of_their_own():
    config = ExportConfig(**_fields(formats=" onnx,fp32 , saved_model,fp32,"))
    assert config.format_names == ["saved_model", "fp32", "onnx"]


def test_the_command_names_what_differs_from_the_defaults():
    config = ExportConfig(**_fields(author="Ana B", allow_low_parity=True, formats="saved_model,fp32,fp16,int8"))
    assert config.command == (
        "python -m export.export_model --output_dir=out --model=a.keras --name=demo --allow_low_parity --author='Ana B'"
    )
