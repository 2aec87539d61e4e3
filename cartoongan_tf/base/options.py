"""Programs' options as frozen dataclasses: one field is one flag, with its default and its help.

A dataclass made of `option` fields is all that a program declares; `program.run` turns it into flags, and
`flagfile_text` writes it back as a flagfile that repeats the run.
"""

import dataclasses
import os
import typing
from typing import Any, Literal

from cartoongan_tf.base.errors import InputError


def option(help: str, default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that is also a command-line flag.

    Args:
      help: what the flag does, for a newcomer, with its unit.
      default: the value where the flag is not given; without one the flag is required.
    """
    return dataclasses.field(default=default, metadata={"help": help})


def require(config: Any, name: str, met: Any, rule: str) -> None:
    """Raise InputError, naming the flag and its value, if a rule about it is not met; for `__post_init__`."""
    if not met:
        raise InputError(f"--{name}={getattr(config, name)}: {rule}")


@dataclasses.dataclass(frozen=True)
class Option:
    """One field of an options dataclass, ready to become a flag."""

    name: str
    help: str
    default: Any
    type: type
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING


def options_of(config_class: type) -> list[Option]:
    """The options of a dataclass in the order of their declaration."""
    hints = typing.get_type_hints(config_class)
    return [_option_of(field, hints[field.name]) for field in dataclasses.fields(config_class)]


def _option_of(field: dataclasses.Field, hint: Any) -> Option:
    if typing.get_origin(hint) is Literal:
        return Option(field.name, field.metadata["help"], field.default, str, typing.get_args(hint))
    return Option(field.name, field.metadata["help"], field.default, hint)


def flagfile_text(config: Any, comment: str) -> str:
    """The flagfile, comment first, that gives exactly `config` back."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for name, value in dataclasses.asdict(config).items():
        lines.append(f"--{'' if value else 'no'}{name}" if isinstance(value, bool) else f"--{name}={value}")
    return "\n".join(lines) + "\n"


def read_flagfile_values(path: str | os.PathLike) -> dict[str, str]:
    """The values in a flagfile that `flagfile_text` wrote, by flag name, as text; booleans are left out."""
    with open(path, encoding="utf-8") as file:
        pairs = [line.strip().removeprefix("--").partition("=") for line in file if line.startswith("--")]
    return {name: value for name, sign, value in pairs if sign}
