"""Facts about the processor of this machine that programs must know.

On Linux the kernel tells. Elsewhere the processor's instructions count as unknown, and unknown means: not there.
"""

import os
import platform
import sys
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")
# With one of these TensorFlow 2.21 takes oneDNN by itself, on Linux.
_ONEDNN_FLAGS = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}


def cpu_model() -> str:
    """Return what Linux calls the processor; elsewhere what Python knows of it."""
    return _cpu_entry("model name") or platform.processor() or platform.machine()


def num_threads() -> int:
    """Return how many threads TensorFlow computes with, unless it was told otherwise."""
    own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return len(own) or os.cpu_count() or 1


def has_avx512() -> bool:
    """Return whether TensorFlow's kernels can use AVX-512."""
    return _may_use_avx512() and "avx512f" in _cpu_flags()


def has_bfloat16() -> bool:
    """Return whether TensorFlow multiplies bfloat16 by instructions of its own; others take many times as long."""
    return uses_onednn() and _may_use_avx512() and not _cpu_flags().isdisjoint({"avx512_bf16", "amx_bf16"})


def uses_onednn() -> bool:
    """Return whether TensorFlow computes with oneDNN here, as it decides itself unless TF_ENABLE_ONEDNN_OPTS does."""
    told = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    if told:
        return told in ("1", "true")
    if sys.platform == "win32":
        return platform.machine().lower() in ("amd64", "x86_64")
    return not _cpu_flags().isdisjoint(_ONEDNN_FLAGS)


def _may_use_avx512() -> bool:
    """Return whether oneDNN, which computes TensorFlow's convolutions, was not told to use older instructions alone."""
    told = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    return told in ("", "DEFAULT", "ALL") or told.startswith(("AVX512", "AVX10"))


def _cpu_flags() -> set[str]:
    return set(_cpu_entry("flags").split())


def _cpu_entry(key: str) -> str:
    """Return an entry of Linux's description of the first processor; "" where there is none."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for name, _, value in pairs if name.strip() == key), "")
