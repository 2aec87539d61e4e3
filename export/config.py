"""What an export can be told: the flags of `export_model`, and the one owner of their defaults."""

import dataclasses
import re
import shlex

from cartoongan_tf import styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from export.serving.facts import MAX_PIXELS, MAX_VERSION

COMPARED_LONG_SIDE_PX = 288  # that photos are shrunk to, to compare on: the paper's network takes 0.7 s for each
MAX_FIXED_SIDE_PX = 4096
FORMATS = ("saved_model", "fp32", "fp16", "int8", "dynamic", "int8_full", "onnx")


@dataclasses.dataclass(frozen=True)
class ExportConfig(Config):
    output_dir: str = option("Folder for serving/, tflite/ and the report.")
    model: str = option("The generator: a .keras file, as training writes it, or a style's name.", styles.DEFAULT)
    name: str = option(
        "Its name, for files and for the server: letters, digits, - and _. A style that comes with this has its own.",
        "",
    )
    formats: str = option(f"What to write, separated by commas: {', '.join(FORMATS)}.", "saved_model,fp32,fp16,int8")

    fixed_size: str = option(
        "Height and width of a second fp16 file that takes nothing else, as GPU delegates want it; empty: none.",
        "512x512",
    )
    calibration_dir: str = option("A folder of some photos like those to be drawn, for int8_full.", "")
    photos_dir: str = option("A folder of photos to measure parity on, instead of the four that come with this.", "")
    allow_low_parity: bool = option("Write files even if they differ from Keras by more than their budget.", False)

    max_pixels: int = option(
        "Of pictures that the server draws at once; the default takes 4.8 GB with the paper's network.",
        MAX_PIXELS,
        at_least=COMPARED_LONG_SIDE_PX**2,
        at_most=10**9,
    )
    model_version: int = option(
        "Of the SavedModel, a number that is not there yet; 0: the next.", 0, at_least=0, at_most=MAX_VERSION
    )

    author: str = option("For the metadata of .tflite files.", "")
    license: str = option(
        "For the metadata of .tflite files: of the weights. A style that comes with this has its own.", ""
    )
    description: str = option("For the metadata of .tflite files.", "Draws photos as cartoons.")

    def __post_init__(self):
        super().__post_init__()
        if style := styles.all_styles().get(self.model):
            object.__setattr__(self, "name", self.name or style.name)
            object.__setattr__(self, "license", self.license or style.license)
        if not self.name:
            raise InputError("--name is missing: name the style, as in --name=shinkai")
        require(self, "name", re.fullmatch(r"\w[\w-]{,99}", self.name, re.ASCII), "use letters, digits, - and _ only")
        is_known = self.format_names and set(self.format_names) <= set(FORMATS)
        require(self, "formats", is_known, f"there is {', '.join(FORMATS)}")
        if "int8_full" in self.format_names and not self.calibration_dir:
            raise InputError("--calibration_dir is missing: name a folder of photos, int8_full learns its ranges there")
        is_used = "int8_full" in self.format_names or not self.calibration_dir
        require(self, "calibration_dir", is_used, "is for int8_full; add it to --formats, or leave this out")
        rule = f"HEIGHTxWIDTH was expected, like 512x512: multiples of 4 from 8 to {MAX_FIXED_SIDE_PX}"
        require(self, "fixed_size", self.fixed_size_px or not self.fixed_size, rule)
        is_used = "saved_model" in self.format_names or not self.model_version
        require(self, "model_version", is_used, "is for saved_model; add it to --formats, or leave this out")

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
        return size if all(8 <= side <= MAX_FIXED_SIDE_PX and side % 4 == 0 for side in size) else None

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
