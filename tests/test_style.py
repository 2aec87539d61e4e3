"""House style that a program can check: lengths, and the first words of docstrings. Ruff checks the rest."""

import ast
import re
from collections.abc import Iterator

from tests.helpers import REPOSITORY
from tests.test_layering import MODULES, TREES

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40  # without the docstring; builders may be longer
NO_FIRST_WORDS = {"Of", "Its", "It", "By", "With", "As", "What", "How", "That", "Where", "Who", "See", "Same"}
NO_PHRASES = ("see there", "See there")


def test_files_are_short():
    paths = [*MODULES.values(), *(REPOSITORY / "tests").rglob("*.py")]
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in paths}
    assert not {path: length for path, length in lengths.items() if length > MAX_FILE_LINES}


def test_functions_are_short():
    offenders = {}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not node.name.lstrip("_").startswith("build_"):
                length = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
                if length > MAX_FUNCTION_LINES:
                    offenders[f"{module}.{node.name}"] = length
    assert not offenders


def _docstring_lines(node: ast.FunctionDef) -> int:
    first = node.body[0]
    return first.end_lineno - first.lineno + 1 if ast.get_docstring(node) is not None else 0


def test_docstrings_begin_with_a_verb_or_a_noun():
    offenders = [place for place, text in _docstrings() if re.split(r"\W", text, maxsplit=1)[0] in NO_FIRST_WORDS]
    assert not offenders


def test_docstrings_refer_to_nothing_unnamed():
    offenders = [place for place, text in _docstrings() if any(phrase in text for phrase in NO_PHRASES)]
    assert not offenders


def _docstrings() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each docstring of the packages."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                text = ast.get_docstring(node)
                if text:
                    place = MODULES[module].relative_to(REPOSITORY)
                    yield f"{place}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}", text
