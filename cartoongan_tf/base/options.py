"""Options of programs as frozen dataclasses: one field is one flag, with its default, its help and its range.

A `Config` made of `option` fields is all that a program declares; `program.run` turns it into flags, and
`flagfile_text` writes it back as a flagfile that repeats the run.
"""

import dataclasses
import math
import os
import typing
from typing import Any, Literal, NamedTuple

from cartoongan_tf.base.errors import InputError


class Range(NamedTuple):
    """The finite numbers that an option accepts; None: no limit.

    Attributes:
      at_least, at_most: limits that are accepted themselves.
      above, below: limits that are not.
    """

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: Any) -> bool:
        if self == Range():
            return True
        return (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        words = ("at least", "at most", "more than", "less than")
        return " and ".join(f"{word} {limit:,}" for word, limit in zip(words, self, strict=True) if limit is not None)


def option(
    help: str,
    default: Any = dataclasses.MISSING,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """Declare a dataclass field that is also a command-line flag.

    Args:
      help: what the flag does, for a newcomer, with its unit.
      default: the value where the flag is not given; without one the flag is required.
      at_least, at_most, above, below: the numbers that it accepts, see `Range`.
    """
    accepted = Range(at_least, at_most, above, below)
    return dataclasses.field(default=default, metadata={"help": help, "range": accepted})


@dataclasses.dataclass(frozen=True)
class Config:
    """Base of all options dataclasses; a number outside of its option's range raises InputError.

    A subclass that has rules about several options adds them in its own `__post_init__`, with `require`, after
    `super().__post_init__()`.
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            accepted = field.metadata.get("range", Range())
            require(self, field.name, getattr(self, field.name) in accepted, f"must be {accepted}")


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
    range: Range
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING


def options_of(config_class: type) -> list[Option]:
    """List the options of a dataclass in the order of their declaration."""
    hints = typing.get_type_hints(config_class)
    return [_option_of(field, hints[field.name]) for field in dataclasses.fields(config_class)]


def _option_of(field: dataclasses.Field, hint: Any) -> Option:
    choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
    return Option(
        name=field.name,
        help=field.metadata["help"],
        default=field.default,
        type=str if choices else hint,
        range=field.metadata["range"],
        choices=choices,
    )


def flagfile_text(config: Any, comment: str) -> str:
    """Return the flagfile, comment first, that gives exactly `config` back."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for name, value in dataclasses.asdict(config).items():
        lines.append(f"--{'' if value else 'no'}{name}" if isinstance(value, bool) else f"--{name}={value}")
    return "\n".join(lines) + "\n"


def read_flagfile_values(path: str | os.PathLike) -> dict[str, str]:
    """Read the values in a flagfile that `flagfile_text` wrote, by flag name, as text, without booleans."""
    with open(path, encoding="utf-8") as file:
        pairs = [line.strip().removeprefix("--").partition("=") for line in file if line.startswith("--")]
    return {name: value for name, sign, value in pairs if sign}
