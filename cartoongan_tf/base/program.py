"""The shell around every program: flags from a dataclass, --help, --version, and readable errors.

A program has a dataclass of options (`options.Config`), a module docstring that opens its --help, and a function that
does the work:

    def main(argv=None):
        return program.run(CartoonizeConfig, _cartoonize, __doc__, argv)

Each run has its own `flags.FlagValues`, so many programs can be imported into one process. The work calls
`start_tensorflow` only when it needs it, so --help, a mistyped flag and a missing file are answered at once.
"""

import atexit
import contextlib
import importlib.util
import io
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags
from absl import logging as absl_logging

from cartoongan_tf import __version__
from cartoongan_tf.base import machine, progress
from cartoongan_tf.base.errors import InputError, UsageError
from cartoongan_tf.base.options import Option, build_config, options_of

_DEFINE: dict[type, Callable[..., Any]] = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    bool: flags.DEFINE_boolean,
}
_VALUE_NAME = {str: "TEXT", int: "N", float: "X"}


def run(
    config_class: type,
    work: Callable[[Any, list[str]], int | None],
    doc: str,
    argv: Sequence[str] | None = None,
    takes_arguments: bool = False,
) -> int:
    """Parse the command line, do the work, and report errors.

    Args:
      config_class: subclass of `options.Config`.
      work: function of the config and of the arguments that are not flags; it may return an exit status.
      doc: the program's module docstring.
      argv: command line, the program's name first; None: the process's own. That process then ends here.
      takes_arguments: whether arguments that are not flags, such as pictures, are allowed.

    Returns:
      the exit status: 0 for success, 1 for failed work, 2 for an unusable command line, 130 when interrupted.
    """
    if argv is None:
        return _end_process(run(config_class, work, doc, sys.argv, takes_arguments))
    argv = list(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be UTF-8
    name = os.path.basename(argv[0]).removesuffix(".py")
    try:
        values = _flag_values(config_class)
        arguments = values(argv)[1:]
        if values.help or values.version:
            print(_help_text(config_class, doc) if values.help else f"cartoongan-tf {__version__}")
            return 0
        if arguments and not takes_arguments:
            raise flags.Error(f"unexpected argument {arguments[0]!r}: every option starts with --")
        config = _config(config_class, values)
    except (flags.Error, InputError, UnicodeDecodeError) as error:
        message = str(error).removeprefix("ERROR:: ")
        print(f"{name}: {message}\nTry --help for the flags and an example.", file=sys.stderr)
        return 2
    return _report(name, lambda: work(config, arguments))


def _end_process(status: int) -> int:
    """End the process without freeing memory first: TensorFlow's graphs take seconds, and the system does it anyway.

    If its output cannot be written, return the status: Python's own ending then reports it.
    """
    with contextlib.suppress(OSError):
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        atexit._run_exitfuncs()
        os._exit(status)
    return status


def _report(name: str, work: Callable[[], int | None]) -> int:
    """Do the work; print one message for errors of input or machine, and a stack trace for bugs."""
    try:
        with progress.reported(f"{name} works"):
            return work() or 0
    except KeyboardInterrupt:
        print(f"\n{name}: interrupted; all files written so far are complete", file=sys.stderr)
        return 130
    except Exception as error:
        if not is_from_outside(error):
            raise
        print(f"{name}: error: {_message(error)}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; name another place, or make this one usable"
    return str(error) or type(error).__name__


def is_from_outside(error: Exception) -> bool:
    """Return whether an error comes from input, files or memory, in Python or in TensorFlow."""
    if isinstance(error, InputError | OSError | UnicodeError | MemoryError):
        return True
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)


def has_tensorflow() -> bool:
    """Return whether TensorFlow is installed, without importing it."""
    return "tensorflow" in sys.modules or importlib.util.find_spec("tensorflow") is not None


def start_tensorflow() -> None:
    """Import TensorFlow without its start-up messages, and let it take GPU memory as it needs it.

    C++ prints these messages before any log level takes effect, so standard error is held back meanwhile. It is shown
    if the import fails, or if TF_CPP_MIN_LOG_LEVEL is 0 or 1.

    Raises:
      InputError: TensorFlow is not installed.
    """
    if "tensorflow" in sys.modules:
        return
    if not has_tensorflow():
        raise InputError(
            "TensorFlow is not installed. All but drawing by bundled styles and .tflite files needs it: pip install . "
            "in the checkout"
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if not machine.has_avx512():
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # see `kernel_limits`
    is_verbose = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2") < "2"
    with progress.stage("starting TensorFlow"), contextlib.nullcontext() if is_verbose else stderr_held_back():
        import tensorflow as tf

        if not is_verbose:
            tf.get_logger().setLevel("ERROR")
            absl_logging.set_verbosity(absl_logging.ERROR)
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)


@contextlib.contextmanager
def stderr_held_back():
    """Hold standard error of C++ and Python back; show it if the block raises."""
    if sys.stderr is None:  # a program without a console
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, open(os.dup(2), "w", buffering=1, errors="backslashreplace") as stderr:
        os.dup2(held.fileno(), 2)
        try:
            with progress.speaking_through(stderr):
                yield
        except BaseException:
            held.seek(0)
            stderr.buffer.write(held.read())
            raise
        finally:
            os.dup2(stderr.fileno(), 2)


def _flag_values(config_class: type) -> flags.FlagValues:
    values = flags.FlagValues()
    values.set_gnu_getopt(True)
    flags.DEFINE_boolean("help", False, "show this text and exit", short_name="h", flag_values=values)
    flags.DEFINE_boolean("version", False, "show the version and exit", flag_values=values)
    for option in options_of(config_class):
        default = None if option.required else option.default
        if option.choices:
            flags.DEFINE_enum(option.name, default, list(option.choices), option.help, flag_values=values)
        else:
            _DEFINE[option.type](option.name, default, option.help, flag_values=values)
    return values


def _config(config_class: type, values: flags.FlagValues) -> Any:
    options = options_of(config_class)
    missing = [option for option in options if option.required and values[option.name].value in (None, "")]
    if missing:
        raise flags.Error(f"--{missing[0].name} is missing: {missing[0].help}")
    return build_config(config_class, {option.name: values[option.name].value for option in options})


def _help_text(config_class: type, doc: str) -> str:
    entries = [_help_entry(_usage(option), _help_of(option)) for option in options_of(config_class)]
    entries.append(_help_entry("--flagfile=FILE", "Read flags from FILE, one a line; later flags win."))
    entries.append(_help_entry("--version, --help", "Show the version, or this text, and exit."))
    return f"{doc.strip()}\n\nFlags:\n" + "\n".join(entries)


def _usage(option: Option) -> str:
    if option.type is bool:
        return f"--[no]{option.name}"
    return f"--{option.name}={'|'.join(option.choices) or _VALUE_NAME[option.type]}"


def _help_of(option: Option) -> str:
    if option.required:
        return f"{option.help} (required)"
    has_value = option.default != "" and option.default is not False
    return f"{option.help} (default: {option.default})" if has_value else option.help


def _help_entry(usage: str, text: str) -> str:
    return f"  {usage}\n" + textwrap.fill(text, 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
