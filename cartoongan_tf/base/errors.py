"""Errors caused by the user's input. Each message names the input and the next step."""

import re


class InputError(ValueError):
    """A file, folder or flag that cannot be used.

    Its message names the file or flag, what is wrong with it and the next step; programs print it alone, without
    a stack trace, and exit with status 1.
    """


class UsageError(InputError):
    """A command line that cannot be used, whatever the files are; programs exit with status 2."""


class NoPictureError(InputError):
    """A file that is no picture, such as the notes in a folder of photos."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, for a sentence; some libraries write a whole traceback into it."""
    return str(error).partition("\n")[0]


def assertion_text(message: str) -> str:
    """Return the reason that a graph gave for refusing its input.

    Args:
      message: of a tf.errors.OpError.

    Returns:
      the text of the assertion that failed, or else the first line.
    """
    match = re.search(r"assertion failed: \[(.*?)\](?:\s*\[Op|\s*\n|\s*$)", message, re.DOTALL)
    if match:
        return match[1]
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("Graph execution error")]
    return lines[0].strip() if lines else "refused, without a reason"
