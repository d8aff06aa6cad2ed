"""How commands end: exit codes, and one line on stderr for whatever is not a bug."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from ntm_repro.cli import streams
from ntm_repro.errors import RunError, UsageError

DONE, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130


def one_line(error: BaseException) -> str:
    """The message of an error in one line, without the lines of Hydra and OmegaConf that do not help the user."""
    lines = [line for cause in (error, error.__cause__) if cause is not None for line in str(cause).splitlines()]
    noise = ("full_key:", "reference_type=", "object_type=", "See https", "To append", "Set the env", "Config search")
    kept: list[str] = []
    for line in map(str.strip, lines):
        if line.startswith("Config search path"):
            break
        # A cause often repeats the end of a line before it.
        if not line.startswith(noise) and not any(line in before for before in ["", *kept]):
            kept.append(line)
    return " ".join(" ".join(kept).split()) or type(error).__name__


class Warnings(logging.Filter):
    """Lets warnings through and nothing else: errors reach the terminal as the command's last line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is a warning."""
        return record.levelno == logging.WARNING


def _warnings_of(command: str) -> logging.Handler:
    """Shows warnings on the terminal as the command's."""
    handler = logging.StreamHandler()
    handler.addFilter(Warnings())
    handler.setFormatter(logging.Formatter(f"{command}: warning: %(message)s"))
    return handler


def _log_thread_failure(failure: threading.ExceptHookArgs) -> None:
    logging.getLogger(__name__).error("a thread failed", exc_info=failure.exc_value)


def _nobody_reads(error: BaseException | None) -> bool:
    """True if a `BrokenPipeError` is at the root of the error: the reader of the output has left."""
    while error is not None and not isinstance(error, BrokenPipeError):
        error = error.__cause__
    return error is not None


def _check_working_directory() -> None:
    """Raise `UsageError` in one that was removed: neither Hydra nor torch's libraries load there."""
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the working directory was removed; change to one that exists") from error


def _flush() -> None:
    """Write out what was printed; discard what cannot be, as when the reader of the pipe has left (`| head`)."""
    try:
        sys.stdout.flush()
    except (BrokenPipeError, RunError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_and_exit(command: str, body: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a command on the process's arguments and leave with its exit code."""
    streams.prepare()
    # The code that ends the run reports a full disk in one line; writers of logs and events must not report it again.
    logging.raiseExceptions = False
    logging.getLogger().addHandler(_warnings_of(command))  # a job has its own, in job_logging/run.yaml
    threading.excepthook = _log_thread_failure
    try:
        _check_working_directory()
        if "--version" in sys.argv[1:]:
            print(f"ntm-repro {version('ntm-repro')}")
            code = DONE
        else:
            code = body(sys.argv[1:])
        sys.stdout.flush()  # here, where a BrokenPipeError is caught
    except (UsageError, RunError, BrokenPipeError) as error:
        code = USAGE if isinstance(error, UsageError) else FAILURE
        if _nobody_reads(error):
            code = FAILURE
        else:
            print(f"{command}: {error}", file=sys.stderr)
    except KeyboardInterrupt as error:
        print(f"{command}: {str(error) or 'interrupted'}", file=sys.stderr)
        code = INTERRUPTED
    finally:
        _flush()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the interpreter shuts down prints no traceback
    raise SystemExit(code)
