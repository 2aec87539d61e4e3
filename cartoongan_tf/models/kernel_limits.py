"""Limits on the tensors of one operation, below which TensorFlow's kernels compute as they should.

Two limits were measured with TensorFlow 2.21 (docs/large_pictures.md), and all that draws stays at half of them:

- From 2^31 values on, kernels that count in 32 bits step aside for a reference kernel.
- Without AVX-512, oneDNN's convolution of one picture copies its input once for each thread. Where the copies take more
  than a GiB in all, a reference kernel computes it instead, some 300 times slower, and without a word.
"""

from cartoongan_tf.base import machine

_MOST_VALUES = 2**31
_MOST_COPIED_BYTES = 2**30
_MARGIN = 2


def most_values(on_gpu: bool = False) -> int:
    """Return how many float32 values a tensor may have that an operation of TensorFlow takes or gives."""
    if on_gpu or machine.has_avx512() or not machine.uses_onednn():
        return _MOST_VALUES // _MARGIN
    return most_copied_values() // machine.num_threads()


def most_values_before_bands(on_gpu: bool = False) -> int:
    """Return from how many values on a picture is drawn in bands, where it can be.

    Without AVX-512 that is the second limit even where oneDNN is not used: bands cost little, and they were needed on
    such processors.
    """
    if on_gpu or machine.has_avx512():
        return most_values(on_gpu)
    return most_copied_values() // machine.num_threads()


def most_copied_values() -> int:
    """Return how many float32 values a convolution on one thread may take where each thread copies them."""
    return _MOST_COPIED_BYTES // 4 // _MARGIN
