"""What means: this, that the user gave, cannot be used, and here is what to do about it."""


class InputError(ValueError):
    """A file, folder or flag that cannot be used.

    Its message names the file or flag, what is wrong with it and the next step; programs print it alone, without
    a stack trace, and exit with status 1.
    """


class UsageError(InputError):
    """A command line that cannot be used, whatever the files are; programs exit with status 2."""
