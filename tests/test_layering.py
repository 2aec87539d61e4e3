"""Who may import whom: the layers of docs/design.md as a table, held against the imports themselves."""

import ast

import pytest

from tests.helpers import REPOSITORY

EXPERIMENTS = (
    *("ablation", "compare_methods", "compare_single_image", "content_weight"),
    *("initialization", "styles", "train_cyclegan"),
)
PROGRAMS = {
    "cartoongan_tf.train",
    "cartoongan_tf.cartoonize",
    "cartoongan_tf.evaluate",
    "cartoongan_tf.import_weights",
    "data_pipeline.build_tfrecords",
    "data_pipeline.extract_frames",
    "data_pipeline.inspect_records",
    "export.benchmark_tflite",
    "export.client",
    "export.export_model",
    *(f"experiments.{name}" for name in EXPERIMENTS),
}
SHELL = {"cartoongan_tf", "cartoongan_tf.program", "cartoongan_tf.options"}  # of programs
BASE = {"cartoongan_tf.errors", "cartoongan_tf.atomic", "cartoongan_tf.extras", "cartoongan_tf.progress"}  # for all

MAY_IMPORT = {
    "cartoongan_tf.generator_file": {"cartoongan_tf.layers"},
    "cartoongan_tf.image_measures": set(),
    "cartoongan_tf.picture_set": {"cartoongan_tf.folders", "cartoongan_tf.pictures"},
    "cartoongan_tf.architectures": set(),
    "cartoongan_tf.gradients": set(),
    "cartoongan_tf": {"cartoongan_tf.cartoonizer"},
    "cartoongan_tf.errors": set(),
    "cartoongan_tf.extras": set(),
    "cartoongan_tf.atomic": set(),
    "cartoongan_tf.options": set(),
    "cartoongan_tf.progress": set(),
    "cartoongan_tf.program": {
        "cartoongan_tf",
        "cartoongan_tf.machine",
        "cartoongan_tf.options",
        "cartoongan_tf.progress",
    },
    "cartoongan_tf.machine": set(),
    "cartoongan_tf.worker": set(),
    "cartoongan_tf.precision": {"cartoongan_tf.machine"},
    "cartoongan_tf.kernel_limits": {"cartoongan_tf.machine"},
    "cartoongan_tf.isolated": {"cartoongan_tf.cartoonizer", "cartoongan_tf.program", "cartoongan_tf.worker"},
    "cartoongan_tf.config": {"cartoongan_tf.architectures", "cartoongan_tf.options"},
    "cartoongan_tf.pictures": set(),
    "cartoongan_tf.folders": set(),
    "cartoongan_tf.threads": set(),
    "cartoongan_tf.signals": set(),
    "cartoongan_tf.pixels": set(),
    "cartoongan_tf.layers": set(),
    "cartoongan_tf.losses": set(),
    "cartoongan_tf.optimizers": set(),
    "cartoongan_tf.schedule": {"cartoongan_tf.config"},
    "cartoongan_tf.generator": {"cartoongan_tf.architectures", "cartoongan_tf.layers"},
    "cartoongan_tf.discriminator": {"cartoongan_tf.layers"},
    "cartoongan_tf.vgg19": set(),
    "cartoongan_tf.image_pool": set(),
    "cartoongan_tf.strategies": set(),
    "cartoongan_tf.health": {"cartoongan_tf.metrics"},
    "cartoongan_tf.curves": {"cartoongan_tf.checkpoints"},
    "cartoongan_tf.run_record": {"cartoongan_tf", "cartoongan_tf.machine"},
    "cartoongan_tf.preflight": {"cartoongan_tf.memory"},
    "cartoongan_tf.samples": {"cartoongan_tf.checkpoints", "cartoongan_tf.pixels"},
    "cartoongan_tf.authors_files": set(),
    "cartoongan_tf.authors_weights": {"cartoongan_tf.generator"},
    "cartoongan_tf.checkpoints": {"cartoongan_tf.layers"},
    "cartoongan_tf.layer_graph": {"cartoongan_tf.layers"},
    "cartoongan_tf.banded": {
        "cartoongan_tf.kernel_limits",
        "cartoongan_tf.layer_graph",
        "cartoongan_tf.layers",
        "cartoongan_tf.pixels",
    },
    "cartoongan_tf.memory": set(),
    "cartoongan_tf.measurement": {"cartoongan_tf.machine", "cartoongan_tf.memory"},
    "cartoongan_tf.graph_errors": set(),
    "cartoongan_tf.taste": set(),
    "cartoongan_tf.shots": {"cartoongan_tf.pictures"},
    "cartoongan_tf.steady": {"cartoongan_tf.shots"},
    "cartoongan_tf.film_reader": set(),
    "cartoongan_tf.film_writer": set(),
    "cartoongan_tf.film": {"cartoongan_tf.film_reader", "cartoongan_tf.film_writer"},
    "cartoongan_tf.sheets": {"cartoongan_tf.pictures"},
    "cartoongan_tf.jobs": {
        "cartoongan_tf.film",
        "cartoongan_tf.film_reader",
        "cartoongan_tf.folders",
        "cartoongan_tf.pictures",
    },
    "cartoongan_tf.drawing": {
        "cartoongan_tf.cartoonizer",
        "cartoongan_tf.isolated",
        "cartoongan_tf.jobs",
        "cartoongan_tf.pictures",
        "cartoongan_tf.steady",
        "cartoongan_tf.taste",
        "cartoongan_tf.threads",
    },
    "cartoongan_tf.tflite_model": set(),
    "cartoongan_tf.model_forms": {
        "cartoongan_tf.banded",
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.graph_errors",
        "cartoongan_tf.kernel_limits",
        "cartoongan_tf.layer_graph",
        "cartoongan_tf.pixels",
        "cartoongan_tf.tflite_model",
    },
    "cartoongan_tf.classical": set(),
    "cartoongan_tf.metrics": set(),
    "cartoongan_tf.crops": {"cartoongan_tf.folders", "cartoongan_tf.pictures"},
    "cartoongan_tf.inception": {"cartoongan_tf.pixels"},
    "cartoongan_tf.evaluation": {
        "cartoongan_tf.crops",
        "cartoongan_tf.inception",
        "cartoongan_tf.metrics",
        "cartoongan_tf.pixels",
        "cartoongan_tf.vgg19",
    },
    "cartoongan_tf.evaluation_report": {
        "cartoongan_tf",
        "cartoongan_tf.crops",
        "cartoongan_tf.evaluation",
        "cartoongan_tf.metrics",
        "cartoongan_tf.pictures",
        "cartoongan_tf.sheets",
    },
    "cartoongan_tf.styles": set(),
    "cartoongan_tf.cartoonizer": {
        "cartoongan_tf.memory",
        "cartoongan_tf.model_forms",
        "cartoongan_tf.steady",
        "cartoongan_tf.styles",
        "cartoongan_tf.taste",
    },
    "cartoongan_tf.named_models": {"cartoongan_tf.cartoonizer"},
    "cartoongan_tf.networks": {
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.config",
        "cartoongan_tf.discriminator",
        "cartoongan_tf.generator",
        "cartoongan_tf.image_pool",
        "cartoongan_tf.optimizers",
        "cartoongan_tf.precision",
        "cartoongan_tf.schedule",
        "cartoongan_tf.styles",
        "cartoongan_tf.vgg19",
    },
    "cartoongan_tf.run_folder": {
        "cartoongan_tf",
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.config",
        "cartoongan_tf.curves",
        "cartoongan_tf.options",
        "cartoongan_tf.pictures",
        "cartoongan_tf.samples",
    },
    "cartoongan_tf.train_step": {
        "cartoongan_tf.config",
        "cartoongan_tf.image_pool",
        "cartoongan_tf.losses",
        "cartoongan_tf.networks",
        "cartoongan_tf.pixels",
    },
    "cartoongan_tf.train_loop": {"cartoongan_tf.checkpoints", "cartoongan_tf.curves", "cartoongan_tf.strategies"},
    "cartoongan_tf.phases": {
        "cartoongan_tf.config",
        "cartoongan_tf.networks",
        "cartoongan_tf.schedule",
        "cartoongan_tf.train_loop",
        "cartoongan_tf.train_step",
    },
    "cartoongan_tf.resumption": {
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.config",
        "cartoongan_tf.optimizers",
        "cartoongan_tf.options",
        "cartoongan_tf.run_folder",
        "cartoongan_tf.run_record",
        "cartoongan_tf.schedule",
    },
    "cartoongan_tf.rehearsal": {
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.config",
        "cartoongan_tf.curves",
        "cartoongan_tf.networks",
        "cartoongan_tf.precision",
        "cartoongan_tf.preflight",
        "cartoongan_tf.run_folder",
        "cartoongan_tf.train_loop",
    },
    "cartoongan_tf.training": {
        "cartoongan_tf.checkpoints",
        "cartoongan_tf.config",
        "cartoongan_tf.health",
        "cartoongan_tf.networks",
        "cartoongan_tf.options",
        "cartoongan_tf.phases",
        "cartoongan_tf.precision",
        "cartoongan_tf.preflight",
        "cartoongan_tf.rehearsal",
        "cartoongan_tf.resumption",
        "cartoongan_tf.run_folder",
        "cartoongan_tf.run_record",
        "cartoongan_tf.samples",
        "cartoongan_tf.schedule",
        "cartoongan_tf.signals",
        "cartoongan_tf.strategies",
        "cartoongan_tf.train_loop",
    },
}

DATA_PIPELINE_MAY_IMPORT = {
    f"cartoongan_tf.{name}" for name in ("film_reader", "folders", "options", "pictures", "sheets", "shots", "threads")
}


def _modules():
    for package in ("cartoongan_tf", "data_pipeline", "experiments", "export"):
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = dict(_modules())
LIBRARIES = {name for name in MODULES if name.startswith("cartoongan_tf.")} - PROGRAMS
BASELINES = {name for name in MODULES if name.startswith("experiments.baselines")}


def _imports(path):
    """Our modules that a file imports, at its top or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            found = next((n for n in (name, name.rpartition(".")[0]) if n in MODULES), None)
            if found:
                yield found


def _allowed(module):
    package = module.partition(".")[0]
    own = {name for name in MODULES if name.partition(".")[0] == package}
    if package == "data_pipeline":
        allowed = own | DATA_PIPELINE_MAY_IMPORT
    elif package == "experiments":  # any library
        allowed = set(MODULES)
    elif package == "export":
        allowed = own | {"cartoongan_tf"} | {name for name in LIBRARIES if "train_" not in name}
    elif module in PROGRAMS:
        allowed = set(LIBRARIES)
        if module == "cartoongan_tf.train":
            allowed |= {"data_pipeline.dataset", "data_pipeline.records"}
    else:
        allowed = MAY_IMPORT[module]
    shell = SHELL if module in PROGRAMS else set()
    return (allowed | BASE | shell) - PROGRAMS - {module}


@pytest.mark.parametrize("module", MODULES)
def test_imports_keep_to_the_layers(module):
    assert set(_imports(MODULES[module])) <= _allowed(module)


@pytest.mark.parametrize("path", sorted((REPOSITORY / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_benchmarks_import_libraries_alone(path):
    assert not set(_imports(path)) & PROGRAMS
    assert {name for name in _imports(path) if name.startswith("experiments")} <= BASELINES


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_benchmarks(module):
    assert not _third_party(module) & {"benchmarks", "demo", "tests"}


def _third_party(module):
    tree = ast.parse(MODULES[module].read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in imports if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", ["layers", "generator", "discriminator", "vgg19", "losses", "pixels", "optimizers"])
def test_models_and_losses_are_pure_keras(name):
    assert "tensorflow" not in _third_party(f"cartoongan_tf.{name}")


@pytest.mark.parametrize(
    "module",
    [
        "cartoongan_tf.pictures",
        *(f"data_pipeline.{name}" for name in ("edge_smoothing", "findings", "picture_statistics", "prepare")),
    ],
)
def test_pictures_know_nothing_of_tensorflow(module):
    assert not _third_party(module) & {"tensorflow", "keras"}


@pytest.mark.parametrize("module", MODULES)
def test_only_the_shell_of_programs_touches_flags(module):
    assert module == "cartoongan_tf.program" or "absl" not in _third_party(module)


@pytest.mark.parametrize("module", sorted(PROGRAMS))
def test_programs_start_without_tensorflow(module):
    tree = ast.parse(MODULES[module].read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.partition(".")[0] for name in names} & {"tensorflow", "keras"}
