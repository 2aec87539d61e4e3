# Training on NVIDIA GPUs (and everything else) in a container: docs/install.md says how to build and run it.
#
# TensorFlow's own images for GPUs have had another CUDA and cuDNN than its wheel wants since 2.18, and find no GPU
# (tensorflow/tensorflow#62412, #88348). So this one builds on the plain image, and takes NVIDIA's libraries from the
# wheels that the extra "gpu" names; the machine itself needs its driver and the NVIDIA Container Toolkit alone.
ARG TENSORFLOW=2.21.0
FROM tensorflow/tensorflow:${TENSORFLOW}

COPY setup.cfg setup.py pyproject.toml README.md LICENSE constraints.txt /opt/cartoongan-tf/
COPY cartoongan_tf /opt/cartoongan-tf/cartoongan_tf
COPY data_pipeline /opt/cartoongan-tf/data_pipeline
COPY export /opt/cartoongan-tf/export
# Its Python must be 3.11 to 3.13, or pip says so here.
RUN python3 -m pip install --no-cache-dir --constraint /opt/cartoongan-tf/constraints.txt \
    '/opt/cartoongan-tf[gpu]'

# Pictures, records and runs are mounted here.
WORKDIR /workspace
ENV KERAS_HOME=/workspace/.keras MPLCONFIGDIR=/tmp/matplotlib TF_CPP_MIN_LOG_LEVEL=2
CMD ["cartoongan-train", "--help"]
