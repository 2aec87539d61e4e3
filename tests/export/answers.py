"""The answers that a served model must give, from its session."""

import io

import numpy as np
from PIL import Image


def expected_file(session, path, **options):
    """The server's answer, by the signature that has these options."""
    signature = {0: "encoded", 2: "styled", 4: "each"}[len(options)]
    inputs = {name: [value] for name, value in options.items()}
    return session.predict(signature, image_bytes=[path.read_bytes()], **inputs)["cartoon_bytes"][0]


def expected(session, path, **options):
    return np.asarray(Image.open(io.BytesIO(expected_file(session, path, **options))))
