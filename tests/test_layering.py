"""The rooms, and which of them each may import: the table of docs/design.md, held against the imports themselves."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

from tests.helpers import REPOSITORY

MAY_IMPORT = {
    "cartoongan_tf.base": {"cartoongan_tf"},
    "cartoongan_tf.media": {"cartoongan_tf.base"},
    "cartoongan_tf.styles": {"cartoongan_tf.base"},
    "cartoongan_tf.models": {"cartoongan_tf.base"},
    "cartoongan_tf.inference": {f"cartoongan_tf.{room}" for room in ("base", "media", "models", "styles")},
    "cartoongan_tf.evaluation": {"cartoongan_tf"} | {f"cartoongan_tf.{room}" for room in ("base", "media", "models")},
    "data_pipeline": {f"cartoongan_tf.{room}" for room in ("base", "media", "styles", "inference")},
    "cartoongan_tf.training": {"cartoongan_tf", "data_pipeline"}
    | {f"cartoongan_tf.{room}" for room in ("base", "media", "models", "styles")},
    "cartoongan_tf.archive": {f"cartoongan_tf.{room}" for room in ("base", "media", "inference")},
    "export": {"cartoongan_tf"}
    | {f"cartoongan_tf.{room}" for room in ("base", "media", "models", "styles", "inference")},
    "cartoongan_tf": {"cartoongan_tf.inference"},  # its version, and Cartoonizer when it is first asked for
}
LIBRARIES = set(MAY_IMPORT)
# Any library; nothing else imports them, but benchmarks measure the baselines too.
TOPS = {"experiments", "benchmarks", "demo"}
PROGRAMS = {
    "cartoongan_tf.train",
    "cartoongan_tf.cartoonize",
    "cartoongan_tf.cartoonize_archive",
    "cartoongan_tf.evaluate",
    "cartoongan_tf.import_weights",
    "data_pipeline.build_tfrecords",
    "data_pipeline.extract_frames",
    "data_pipeline.inspect_records",
    "export.benchmark_tflite",
    "export.client",
    "export.export_model",
    "export.serve_web",
    "export.write_tflite",
    "experiments.ablation",
    "experiments.compare_methods",
    "experiments.compare_single_image",
    "experiments.content_weight",
    "experiments.initialization",
    "experiments.styles",
    "experiments.train_cyclegan",
}
WITHOUT_KERAS = {"cartoongan_tf.base", "cartoongan_tf.media", "cartoongan_tf.styles"}
WITHOUT_TENSORFLOW = WITHOUT_KERAS | {"cartoongan_tf.models", "cartoongan_tf.evaluation"}


def _modules() -> Iterator[tuple[str, Path]]:
    for package in ("cartoongan_tf", "data_pipeline", "export", *TOPS):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = dict(_modules())
TREES = {module: ast.parse(path.read_text()) for module, path in MODULES.items()}


def _imported_names(nodes) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _all_imports(module: str) -> set[str]:
    return set(_imported_names(ast.walk(TREES[module])))


def _own_imports(module: str) -> set[str]:
    """Our modules that a module imports, at its top or inside its functions."""
    names = (name if name in MODULES else name.rpartition(".")[0] for name in _all_imports(module))
    return {name for name in names if name in MODULES}


def _third_party(module: str) -> set[str]:
    return {name.partition(".")[0] for name in _all_imports(module)}


def _room(module: str) -> str:
    """The longest name of a room that a module lies in; `export.serving` is in `export`, as it is no row of its own."""
    if module in PROGRAMS:
        return "programs"
    parts = module.split(".")
    names = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next(name for name in names if name in LIBRARIES | TOPS)


def test_each_room_imports_what_it_may():
    offenders = []
    for module in MODULES:
        room = _room(module)
        allowed = LIBRARIES | {room} if room in TOPS | {"programs"} else MAY_IMPORT[room] | {room}
        for imported in _own_imports(module):
            of_baselines = imported.startswith("experiments.baselines") and room == "benchmarks"
            of_own_top = module.partition(".")[0] in TOPS and module.partition(".")[0] == _room(imported)
            if _room(imported) not in allowed and not of_baselines and not of_own_top:
                offenders.append(f"{module} -> {imported}")
    assert not offenders


def test_nobody_imports_a_program():
    offenders = [f"{module} -> {name}" for module in MODULES for name in _own_imports(module) & PROGRAMS]
    assert not offenders


def test_no_circles():
    graph = {module: _own_imports(module) - {module} for module in MODULES if module != "cartoongan_tf"}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_keras_and_tensorflow_stay_in_their_rooms():
    offenders = [
        f"{module}: {name}"
        for rooms, name in ((WITHOUT_KERAS, "keras"), (WITHOUT_TENSORFLOW, "tensorflow"))
        for module in MODULES
        if _room(module) in rooms and module != "cartoongan_tf.base.program" and name in _third_party(module)
    ]
    assert not offenders


def test_only_the_shell_of_programs_touches_flags():
    assert [module for module in MODULES if "absl" in _third_party(module)] == ["cartoongan_tf.base.program"]


def test_programs_start_without_tensorflow():
    """Whatever they import at the top, directly or not."""
    graph = {module: set(_imported_names(tree.body)) for module, tree in TREES.items()}
    for program in PROGRAMS:
        found, left = set(), [program]
        while left:
            for name in graph[left.pop()]:
                name = name if name in MODULES else name.rpartition(".")[0] or name
                if name in MODULES and name not in found:
                    left.append(name)
                found.add(name)
        heavy = {name for name in found if name.partition(".")[0] in ("tensorflow", "keras")}
        assert not heavy, (program, heavy)
