"""The processor of this machine: its name, threads and instructions; and whether there is a GPU.

Instructions are read from Linux's /proc/cpuinfo. On other systems they count as missing.
"""

import os
import platform
import sys
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
_DEVICES = Path("/dev")
_GPUS = ("nvidia[0-9]*", "dxg")  # the second one in WSL 2
# TensorFlow 2.21 on Linux enables oneDNN by default if the processor has one of these.
_ONEDNN_FLAGS = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}


def cpu_model() -> str:
    """Return the processor's name as Linux or else Python reports it."""
    return _cpu_entry("model name") or platform.processor() or platform.machine()


def limit_threads(most: int) -> None:
    """Limit the threads that LiteRT, OpenVINO and TensorFlow compute with in this process; call it before they load."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(most)


def num_threads() -> int:
    """Return how many threads to compute with, as TensorFlow decides it: its variable, or else the usable CPUs."""
    limit = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if limit.isdecimal() and int(limit):
        return int(limit)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def has_avx512() -> bool:
    """Return whether TensorFlow's kernels can use AVX-512."""
    return _may_use_avx512() and "avx512f" in _cpu_flags()


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 natively; emulation takes many times as long."""
    return uses_onednn() and _may_use_avx512() and not _cpu_flags().isdisjoint({"avx512_bf16", "amx_bf16"})


def has_nvidia_gpu() -> bool:
    """Return whether this process may use a GPU of NVIDIA, the kind that TensorFlow computes on, without asking it."""
    is_hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    return not is_hidden and any(found for name in _GPUS for found in _DEVICES.glob(name))


def uses_onednn() -> bool:
    """Return whether TensorFlow computes with oneDNN here, by TF_ENABLE_ONEDNN_OPTS or else by default."""
    setting = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    if setting:
        return setting in ("1", "true")
    if sys.platform == "win32":
        return platform.machine().lower() in ("amd64", "x86_64")
    return not _cpu_flags().isdisjoint(_ONEDNN_FLAGS)


def _may_use_avx512() -> bool:
    """Return whether ONEDNN_MAX_CPU_ISA lets oneDNN use AVX-512."""
    setting = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    return setting in ("", "DEFAULT", "ALL") or setting.startswith(("AVX512", "AVX10"))


def _cpu_flags() -> set[str]:
    return set(_cpu_entry("flags").split())


def _cpu_entry(key: str) -> str:
    """Return an entry for the first processor in /proc/cpuinfo, or "" if there is none."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in pairs if name.strip() == key), "")
