"""The texts of the deployment's files: Dockerfile, kubernetes.yaml and monitoring.config."""

from pathlib import Path

from export import templates
from export.serving.deployment.server import FLAGS, IMAGE, NUM_CPUS, Sizing
from export.serving.facts import CONFIG, METRICS_PATH, MONITORING, MOUNTED_AT

DOCKERFILE = "Dockerfile"
KUBERNETES = "kubernetes.yaml"
NAMES = (DOCKERFILE, KUBERNETES, MONITORING)
_THREADS = (f"--tensorflow_intra_op_parallelism={NUM_CPUS}", f"--tensorflow_inter_op_parallelism={NUM_CPUS}")
_BYTES_PER_MI = 2**20


def texts(name: str, names: list[str], version: int, sizing: Sizing) -> dict[str, str]:
    """Return the texts of the files, by name.

    Args:
      name: name of the model whose state tells whether the server is ready, and whose sizes count.
      names: names of all models.
      version: version of that model.
      sizing: the memory of that model.
    """
    values = {
        "arguments": "\n".join(f"            - {flag}" for flag in (*FLAGS, *_THREADS)),
        "command": ", \\\n     ".join(f'"{flag}"' for flag in FLAGS),
        "config": CONFIG,
        "copies": "\n".join(f"COPY {model} {MOUNTED_AT}/{model}" for model in names),
        "cpus": str(NUM_CPUS),
        "image": IMAGE,
        "metrics_path": METRICS_PATH,
        "monitoring": MONITORING,
        "most_memory": _memory(sizing.most_bytes),
        "mounted_at": MOUNTED_AT,
        "name": name,
        "requested_memory": _memory(sizing.requested_bytes),
        "tag": f"{name}-{version}",
    }
    folder = Path(__file__).parent
    return {file: templates.fill(folder / file, **values) for file in NAMES}


def _memory(num_bytes: float) -> str:
    """Return an amount of memory as Kubernetes takes it."""
    return f"{num_bytes / _BYTES_PER_MI:.0f}Mi"
