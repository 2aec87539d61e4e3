"""CartoonGAN (Chen, Lai, Liu, CVPR 2018) on TensorFlow and Keras: turns photos into cartoons.

    from cartoongan_tf import Cartoonizer
    cartoon = Cartoonizer.load()(photo)  # uint8 RGB [H, W, 3] in and out

Importing the package imports neither TensorFlow nor Keras; a model without a matching .tflite file does.
"""

__version__ = "0.1.0"
__all__ = ["Cartoonizer", "__version__"]


def __getattr__(name):
    if name == "Cartoonizer":
        from cartoongan_tf.inference.cartoonizer import Cartoonizer

        return Cartoonizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
