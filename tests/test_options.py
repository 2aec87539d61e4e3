"""Every option of every program: a number has a range, its default lies in it, and what lies outside is refused."""

import dataclasses
import importlib
import math
from collections.abc import Iterator

import pytest

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.base.options import (
    Config,
    Option,
    Range,
    build_config,
    flagfile_text,
    option,
    options_of,
    read_flagfile_values,
    values_of,
)
from tests.helpers import REPOSITORY


def _config_classes() -> Iterator[type]:
    for package in ("cartoongan_tf", "data_pipeline", "export", "experiments", "benchmarks"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            if "(Config)" in path.read_text():
                module = importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
                yield from (each for each in vars(module).values() if _is_config_of(each, module.__name__))


def _is_config_of(candidate, module: str) -> bool:
    is_class = isinstance(candidate, type) and dataclasses.is_dataclass(candidate)
    return is_class and issubclass(candidate, Config) and candidate.__module__ == module and candidate is not Config


def _outside(option: Option) -> Iterator[float]:
    """Yield a number beyond each limit of an option, as near to it as its type allows."""
    step = 1 if option.type is int else 1e-6
    accepted = option.range
    if accepted.at_least is not None:
        yield accepted.at_least - step
    if accepted.at_most is not None:
        yield accepted.at_most + step
    yield from (limit for limit in (accepted.above, accepted.below) if limit is not None)
    if option.type is float:
        yield from (math.nan, math.inf)


def test_every_number_has_a_range_and_is_held_to_it():
    num_refused = 0
    for config_class in _config_classes():
        required = {each.name: "given" for each in options_of(config_class) if each.required}
        for number in options_of(config_class):
            if number.type not in (int, float):
                continue
            name = f"{config_class.__name__}.{number.name}"
            assert number.range != Range(), f"{name} has no range"
            assert number.required or number.default in number.range, name
            for value in _outside(number):
                with pytest.raises(InputError, match=f"--{number.name}=") as caught:
                    build_config(config_class, required | {number.name: value})
                assert str(number.range) in str(caught.value), name
                num_refused += 1
    assert num_refused > 100


@dataclasses.dataclass(frozen=True)
class _Example(Config):
    size: int = option("A size.", 3, at_least=2, at_most=5)
    share: float = option("A share.", 0.5, above=0, below=1)
    name: str = option("A name.", "x")


@pytest.mark.parametrize("values", [{"size": 2}, {"size": 5}, {"share": 1e-9}, {"share": 0.999}])
def test_limits_themselves_are_accepted_as_stated(values):
    assert dataclasses.asdict(_Example(**values)).items() >= values.items()


def test_a_range_is_said_in_words():
    assert str(Range(at_least=0, below=2**31)) == "at least 0 and less than 2,147,483,648"


def test_a_flagfile_repeats_a_config(tmp_path):
    path = tmp_path / "example.flags"
    path.write_text(flagfile_text(_Example(size=4, name="a b"), "why\nand how"))
    assert path.read_text().startswith("# why\n# and how\n")
    assert read_flagfile_values(path) == {"size": "4", "share": "0.5", "name": "a b"}


@dataclasses.dataclass(frozen=True)
class _Outer(Config):
    place: str = option("A place.")
    inner: _Example = _Example()


def test_a_groups_options_are_flags_that_begin_with_its_name(tmp_path):
    names = ["place", "inner_size", "inner_share", "inner_name"]
    assert [each.name for each in options_of(_Outer)] == names
    config = build_config(_Outer, {"place": "here", "inner_size": 4})
    assert config == _Outer("here", _Example(size=4))
    assert list(values_of(config)) == names and build_config(_Outer, values_of(config)) == config
    (tmp_path / "outer.flags").write_text(flagfile_text(config, ""))
    assert read_flagfile_values(tmp_path / "outer.flags")["inner_size"] == "4"
    with pytest.raises(InputError, match="--inner_size=9"):
        build_config(_Outer, {"place": "here", "inner_size": 9})
    for values in ({"place": "here", "inner_side": 4}, {"inner_size": 4}):
        with pytest.raises(TypeError):
            build_config(_Outer, values)
