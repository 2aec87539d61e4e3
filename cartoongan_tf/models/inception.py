"""Inception v3, the usual source of the features of FID and KID."""

import keras

from cartoongan_tf.base.errors import InputError
from cartoongan_tf.models import pixels


def build_inception(weights: str) -> keras.Model:
    """Build Inception v3 as in keras.applications, which is near to the network that FID is defined on, not the same.

    Args:
      weights: path of a weights file of keras.applications, without top.

    Returns:
      a model from uint8 RGB [N, S, S, 3] to float32 [N, 2048].

    Raises:
      InputError: the file cannot be used.
    """
    try:
        inception = keras.applications.InceptionV3(include_top=False, pooling="avg", weights=weights)
    except Exception as error:  # the type depends on what is wrong with the file
        raise InputError(
            f"--inception_weights={weights}: not Inception v3's weights without top in Keras's format ({error}); give "
            "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 of keras.applications, or omit the flag"
        ) from error
    crop = keras.Input((None, None, 3), name="crop")
    scaled = keras.layers.Resizing(299, 299)(pixels.to_float(crop))
    return keras.Model(crop, inception(scaled), name="inception")
