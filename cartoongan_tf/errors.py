"""The one exception that means: what the user gave cannot be used, and here is what to do about it."""


class InputError(ValueError):
    """A file, folder or flag that cannot be used.

    Its message names the file or flag, what is wrong with it and the next step; programs print it alone, without
    a stack trace, and exit with status 1.
    """
