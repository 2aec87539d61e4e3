"""The number format that layers compute in: --mixed_precision, resolved for the devices of this machine."""

import tensorflow as tf

from cartoongan_tf.base import machine

_AMPERE = (8, 0)  # NVIDIA's first compute capability whose GPUs multiply bfloat16


def precision_to_use(mixed_precision: str) -> str:
    """Return "bfloat16" or "off" for "auto", by these devices; return other values unchanged."""
    if mixed_precision != "auto":
        return mixed_precision
    return "bfloat16" if _can_multiply_bfloat16() else "off"


def slowness(mixed_precision: str) -> str:
    """Return a warning if these devices have no instructions for the format; "" if they have them."""
    if precision_to_use(mixed_precision) == "off" or _can_multiply_bfloat16():
        return ""
    return (
        f"--mixed_precision={mixed_precision}: {_device_name()} has no instructions for bfloat16, so that a step takes "
        "many times as long as in float32; give --mixed_precision=auto, which chooses the fast format"
    )


def _can_multiply_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    return all(_capability(gpu) >= _AMPERE for gpu in gpus) if gpus else machine.has_bfloat16()


def _capability(gpu) -> tuple[int, int]:
    return tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))


def _device_name() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return machine.cpu_model()
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", gpus[0].name)
