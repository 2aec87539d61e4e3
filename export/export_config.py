"""What an export can be told: the flags of `export_model`, and the one owner of their defaults."""

import dataclasses
import re
import shlex

from cartoongan_tf.errors import InputError
from cartoongan_tf.options import option

FORMATS = ("saved_model", "fp32", "fp16", "int8", "dynamic", "int8_full", "onnx")


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    model: str = option("The generator: a .keras file, as training writes it.")
    name: str = option("The style's name, for files and for the server: letters, digits, - and _.")
    output_dir: str = option("Folder for serving/, tflite/ and the report.")
    formats: str = option(f"What to write, separated by commas: {', '.join(FORMATS)}.", "saved_model,fp32,fp16,int8")

    fixed_size: str = option(
        "Height and width of a second fp16 file that takes nothing else, as GPU delegates want it; empty: none.",
        "512x512",
    )
    calibration_dir: str = option("A folder of some photos like those to be drawn, for int8_full.", "")
    photos_dir: str = option("A folder of photos to measure parity on, instead of the four that come with this.", "")
    allow_low_parity: bool = option("Write files even if they differ from Keras by more than their budget.", False)

    max_pixels: int = option("Of pictures that the server draws at once; 4.8 GB with the paper's network.", 2048 * 2048)
    model_version: int = option("Of the SavedModel, a number that is not there yet; 0: the next.", 0)

    author: str = option("For the metadata of .tflite files.", "")
    license: str = option("For the metadata of .tflite files: of the weights.", "")
    description: str = option("For the metadata of .tflite files.", "Draws photos as cartoons.")

    def __post_init__(self):
        if not re.fullmatch(r"\w[\w-]*", self.name, re.ASCII):
            raise InputError(f"--name={self.name}: use letters, digits, - and _ only")
        unknown = [name for name in self.format_names if name not in FORMATS]
        if unknown or not self.format_names:
            raise InputError(f"--formats={self.formats}: there is {', '.join(FORMATS)}")
        if "int8_full" in self.format_names and not self.calibration_dir:
            raise InputError("--calibration_dir is missing: name a folder of photos, int8_full learns its ranges there")
        if self.fixed_size and not self.fixed_size_px:
            raise InputError(f"--fixed_size={self.fixed_size}: HEIGHTxWIDTH was expected, multiples of 4 from 8 up")
        if self.max_pixels < 1 or self.model_version < 0:
            raise InputError("--max_pixels must be at least 1, and --model_version at least 0")

    @property
    def format_names(self) -> list[str]:
        """In the order in which they are made."""
        wanted = [name.strip() for name in self.formats.split(",") if name.strip()]
        return sorted(set(wanted), key=lambda name: FORMATS.index(name) if name in FORMATS else -1)

    @property
    def fixed_size_px(self) -> tuple[int, int] | None:
        """Height and width; None where there is none, or none that can be used."""
        found = re.fullmatch(r"(\d+)x(\d+)", self.fixed_size)
        size = (int(found[1]), int(found[2])) if found else (0, 0)
        return size if all(side >= 8 and side % 4 == 0 for side in size) else None

    @property
    def command(self) -> str:
        """What writes the same again."""
        values = {field.name: (getattr(self, field.name), field.default) for field in dataclasses.fields(self)}
        flags = [
            f"--{name}" if value is True else f"--{name}={shlex.quote(str(value))}"
            for name, (value, default) in values.items()
            if value != default
        ]
        return " ".join(["python -m export.export_model", *flags])
