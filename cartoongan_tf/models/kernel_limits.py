"""The limits on the tensors of one operation up to which TensorFlow's fast kernels compute it.

Two limits were measured with TensorFlow 2.21 (docs/large_pictures.md), and inference stays at half of them:

- From 2^31 values on, kernels that count in 32 bits are replaced by a reference kernel.
- Without AVX-512, oneDNN's convolution of one picture copies its input once for each thread. If the copies take more
  than a GiB in all, a reference kernel silently replaces it, which is some 300 times slower.
"""

from cartoongan_tf.base import machine

_MOST_VALUES = 2**31
_MOST_COPIED_BYTES = 2**30
_MARGIN = 2


def most_values(on_gpu: bool = False) -> int:
    """Return the greatest number of float32 values in an input or output of one operation of TensorFlow."""
    if on_gpu or machine.has_avx512() or not machine.uses_onednn():
        return _MOST_VALUES // _MARGIN
    return most_copied_values() // machine.num_threads()


def most_values_before_bands(on_gpu: bool = False) -> int:
    """Return the number of values above which a picture is drawn in bands, if it can be.

    Without AVX-512 it is the second limit even if oneDNN is not used: bands cost little, and such processors were
    found to need them.
    """
    if on_gpu or machine.has_avx512():
        return most_values(on_gpu)
    return most_copied_values() // machine.num_threads()


def most_copied_values() -> int:
    """Return the greatest number of float32 values in a convolution's input on one thread, if each thread copies it."""
    return _MOST_COPIED_BYTES // 4 // _MARGIN
