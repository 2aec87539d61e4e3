"""What a graph says when it refuses its input, out of what TensorFlow says around it."""

import re


def sentence(message: str) -> str:
    """The sentence of an assertion, or else the first line, of the message of a tf.errors.OpError."""
    found = re.search(r"assertion failed: \[(.*?)\](?:\s*\[Op|\s*\n|\s*$)", message, re.DOTALL)
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("Graph execution error")]
    return found[1] if found else lines[0].strip() if lines else "refused, and nothing said why"
