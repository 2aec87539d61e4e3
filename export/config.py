"""The settings of an export: the flags of `export_model`, with their defaults and rules."""

import dataclasses
import re
import shlex
from typing import Any, Literal, Self

from cartoongan_tf import styles
from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import Config, option, require
from export.serving.facts import MAX_PIXELS, MAX_VERSION

COMPARED_LONG_SIDE_PX = 288  # photos are shrunk to this before they are compared; the paper's network takes 0.7 s each
MAX_FIXED_SIDE_PX = 4096
WEB = "web"
FORMATS = ("saved_model", "fp32", "fp16", "int8", "dynamic", "int8_full", "onnx", WEB)


@dataclasses.dataclass(frozen=True)
class ExportConfig(Config):
    """Settings for an export; values that cannot be used raise InputError."""

    output_dir: str = option("Folder for serving/, tflite/ and the report.")
    model: str = option("The generator: a .keras file written by training, or the name of a style.", styles.DEFAULT)
    name: str = option(
        "Name of the style, used for files and on the server: letters, digits, - and _. A style that comes with this "
        "package has its own.",
        "",
    )
    formats: str = option(f"Formats to write, separated by commas: {', '.join(FORMATS)}.", "saved_model,fp32,fp16,int8")

    style: str = option(
        "Styles of the page that web writes, separated by commas, as in ink,pepper; NAME=MODEL.keras is one of yours. "
        "Empty: --model.",
        "",
    )
    web_precision: Literal["fp32", "fp16", "int8"] = option(
        "Precision of the page's .tflite files. int8 is the quickest to load.", "int8"
    )
    fixed_size: str = option(
        "Height and width of a second fp16 file that takes only this size, which GPU delegates need; empty: no such "
        "file.",
        "512x512",
    )
    calibration_dir: str = option("Folder of photos like those to be cartoonized, to calibrate int8_full on.", "")
    photos_dir: str = option("Folder of photos to measure parity on, instead of the four in this package.", "")
    allow_low_parity: bool = option("Write files even if they differ from Keras by more than their budget.", False)

    max_pixels: int = option(
        "Number of pixels that the server cartoonizes at once; the default takes 4.8 GB with the paper's network.",
        MAX_PIXELS,
        at_least=COMPARED_LONG_SIDE_PX**2,
        at_most=10**9,
    )
    drawing_size: int = option(
        "Longer side, in pixels, at which the server and the page draw larger picture files; 0: never shrink them. A "
        "style that comes with this package has its own.",
        0,
        at_least=0,
        below=2**31,
    )
    model_version: int = option(
        "Version of the SavedModel, a number that does not exist yet; 0: the next one.",
        0,
        at_least=0,
        at_most=MAX_VERSION,
    )

    author: str = option("Author in the metadata of .tflite files.", "")
    license: str = option(
        "License of the weights, in the metadata of .tflite files. A style that comes with this package has its own.",
        "",
    )
    description: str = option("Description in the metadata of .tflite files.", "Draws photos as cartoons.")

    def __post_init__(self):
        super().__post_init__()
        self._take_defaults_from_style()
        self._check_name()
        self._check_formats()
        rule = f"HEIGHTxWIDTH was expected, like 512x512: multiples of 4 from 8 to {MAX_FIXED_SIDE_PX}"
        require(self, "fixed_size", self.fixed_size_px or not self.fixed_size, rule)

    def _take_defaults_from_style(self) -> None:
        style = styles.all_styles().get(self.model)
        if style:
            object.__setattr__(self, "name", self.name or style.name)
            object.__setattr__(self, "license", self.license or style.license)
            object.__setattr__(self, "drawing_size", self.drawing_size or style.drawing_size)

    def _check_name(self) -> None:
        if not self.name:
            raise InputError("--name is missing: name the style, as in --name=shinkai")
        is_file_name = re.fullmatch(r"\w[\w-]{,99}", self.name, re.ASCII)
        require(self, "name", is_file_name, "use only letters, digits, - and _")

    def _check_formats(self) -> None:
        are_valid = self.format_names and set(self.format_names) <= set(FORMATS)
        require(self, "formats", are_valid, f"the formats are {', '.join(FORMATS)}")
        is_calibrated = "int8_full" in self.format_names
        if is_calibrated and not self.calibration_dir:
            raise InputError("--calibration_dir is missing: name a folder of photos, to calibrate int8_full on")
        rule = "is for int8_full; add that to --formats, or remove this flag"
        require(self, "calibration_dir", is_calibrated or not self.calibration_dir, rule)
        rule = "is for web; add that to --formats, or remove this flag"
        require(self, "style", WEB in self.format_names or not self.style, rule)
        has_version = "saved_model" in self.format_names
        rule = "is for saved_model; add that to --formats, or remove this flag"
        require(self, "model_version", has_version or not self.model_version, rule)

    @property
    def format_names(self) -> list[str]:
        """The formats in the order in which they are made."""
        names = {name.strip() for name in self.formats.split(",") if name.strip()}
        return sorted(names, key=lambda name: FORMATS.index(name) if name in FORMATS else -1)

    @property
    def fixed_size_px(self) -> tuple[int, int] | None:
        """Height and width; None if there is no fixed size, or an invalid one."""
        match = re.fullmatch(r"(\d+)x(\d+)", self.fixed_size)
        if not match:
            return None
        size = (int(match[1]), int(match[2]))
        is_valid = all(8 <= side <= MAX_FIXED_SIDE_PX and side % 4 == 0 for side in size)
        return size if is_valid else None

    def for_style(self, name: str, model: str) -> Self:
        """Return the settings for one style of the page.

        Args:
          name: its name on the page.
          model: a .keras file, or the name of a style that comes with this package, which has its own facts.
        """
        if (name, model) == (self.name, self.model):
            return self
        own: dict[str, Any] = {"license": "", "drawing_size": 0} if model in styles.all_styles() else {}
        return dataclasses.replace(self, name=name, model=model, **own)

    @property
    def command(self) -> str:
        """The command that repeats this export."""
        flags = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                flags.append(f"--{field.name}" if value is True else f"--{field.name}={shlex.quote(str(value))}")
        return " ".join(["python -m export.export_model", *flags])
