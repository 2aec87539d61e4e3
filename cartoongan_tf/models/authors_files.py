"""The files of the authors' released networks: arrays by PyTorch's names. Loads no TensorFlow."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cartoongan_tf.base.errors import InputError


def read_weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read the arrays of a network, by name.

    Args:
      path: path of a .pth file as PyTorch saves a state dict (read through torch, if that is installed), of a .npz
        file, or of a folder of .npy files with the arrays' names.

    Raises:
      InputError: the file does not exist, is damaged or of another format, or torch is missing.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir():
        return _read_npy_folder(path)
    if path.suffix.lower() in (".pth", ".pt"):
        return _read_pth(path)
    return _read_npz(path)


def _read_npy_folder(folder: Path) -> dict[str, np.ndarray]:
    files = sorted(folder.glob("*.npy"))
    if not files:
        raise InputError(f"{folder}: no .npy file in it; each array must be one file, like conv01_1.weight.npy")
    return {file.stem: _read_array(file) for file in files}


def _read_array(file: Path) -> np.ndarray:
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{file}: damaged, or not a .npy file ({error})") from error


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: damaged, or not a .npz file; a .pth or .npz file or a folder of .npy can be read")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # the type depends on where the file is damaged
        raise InputError(f"{path}: damaged .npz file ({error})") from error


def _read_pth(path: Path) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError:
        raise InputError(
            f"{path}: reading PyTorch's files needs torch, which is not installed: pip install torch"
        ) from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)  # runs no code that the file may hold
    except Exception as error:  # the type depends on where the file is damaged
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: damaged, or not a file of weights as torch.save writes it ({reason})") from error
    if not isinstance(state, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise InputError(
            f"{path}: holds no state dict (arrays by name); save one with torch.save(net.state_dict(), ...)"
        )
    return {name: tensor.detach().float().numpy() for name, tensor in state.items()}
