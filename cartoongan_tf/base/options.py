"""Options of programs as frozen dataclasses: one field is one flag, with its default, its help and its range.

A `Config` made of `option` fields is all that a program declares; `program.run` turns it into flags, and
`flagfile_text` writes it back as a flagfile that repeats the run. A field whose type is another dataclass of options is
a group: its options become flags that begin with the field's name, as in --abstraction_line_width.
"""

import dataclasses
import math
import os
import typing
from collections.abc import Mapping
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
            _require_in_range(field.name, getattr(self, field.name), field.metadata.get("range", Range()))


def require(config: Any, name: str, met: Any, rule: str) -> None:
    """Raise InputError, naming the flag and its value, if a rule about it is not met; for `__post_init__`."""
    if not met:
        raise InputError(f"--{name}={getattr(config, name)}: {rule}")


def _require_in_range(name: str, value: Any, accepted: Range) -> None:
    if value not in accepted:
        raise InputError(f"--{name}={value}: must be {accepted}")


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
    """List the options of a dataclass, those of its groups too, in the order of their declaration."""
    hints = typing.get_type_hints(config_class)
    options = []
    for field in dataclasses.fields(config_class):
        hint = hints[field.name]
        if _is_group(hint):
            options += [dataclasses.replace(each, name=f"{field.name}_{each.name}") for each in options_of(hint)]
        else:
            options.append(_option_of(field, hint))
    return options


def values_of(config: Any) -> dict[str, Any]:
    """Return the values of a config's options, those of its groups too, by flag name."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if _is_group(type(value)):
            values |= {f"{field.name}_{name}": each for name, each in values_of(value).items()}
        else:
            values[field.name] = value
    return values


def build_config(config_class: type, values: Mapping[str, Any]) -> Any:
    """Build a config from the values of its options by flag name; an option without one has its default.

    Raises:
      TypeError: a name is no option's, or a required option is missing.
      InputError: a value cannot be used.
    """
    ranges = {each.name: each.range for each in options_of(config_class)}
    for name, value in values.items():
        _require_in_range(name, value, ranges.get(name, Range()))
    arguments = dict(values)
    for name, hint in typing.get_type_hints(config_class).items():
        if _is_group(hint):
            prefix = f"{name}_"
            of_group = [each for each in values if each.startswith(prefix)]
            arguments[name] = build_config(hint, {each.removeprefix(prefix): arguments.pop(each) for each in of_group})
    return config_class(**arguments)


def _is_group(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint)


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
    for name, value in values_of(config).items():
        lines.append(f"--{'' if value else 'no'}{name}" if isinstance(value, bool) else f"--{name}={value}")
    return "\n".join(lines) + "\n"


def read_flagfile_values(path: str | os.PathLike) -> dict[str, str]:
    """Read the values in a flagfile that `flagfile_text` wrote, by flag name, as text, without booleans."""
    with open(path, encoding="utf-8") as file:
        pairs = [line.strip().removeprefix("--").partition("=") for line in file if line.startswith("--")]
    return {name: value for name, sign, value in pairs if sign}
