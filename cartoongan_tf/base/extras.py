"""Packages that come with an extra alone: asked for before anything heavy is loaded or computed."""

import importlib.util

from cartoongan_tf.base.errors import InputError

PACKAGES = {"beam": ("apache_beam",), "onnx": ("tf2onnx", "onnxruntime")}  # of each extra, what is imported


def require_extra(extra: str, wanted_by: str) -> None:
    """Raise InputError unless an extra's packages are installed; loads none of them.

    Args:
      extra: its name, a key of PACKAGES.
      wanted_by: the flag or path that needs it, which the message names.
    """
    missing = [name for name in PACKAGES[extra] if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{wanted_by}: needs {' and '.join(missing)}; pip install '.[{extra}]'")
