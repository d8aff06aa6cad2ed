"""Processes that tests start. Each leads a session of its own, and all of it is killed when the test is done with it.

That includes a test that fails or that pytest-timeout stops: both leave the `with` block by an exception. What a
process has started in turn, such as the workers of a sweep, belongs to its session and ends with it.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from support.helpers import PATIENCE, environment


@contextmanager
def started(command, **options) -> Iterator[subprocess.Popen[str]]:
    """A running process, killed with all its children at the end of the block.

    `options` are those of `subprocess.Popen`. Unless they say otherwise both outputs are pipes of text and the
    environment is `environment()`.
    """
    process = begin(command, **options)
    try:
        yield process
    finally:
        end(process)


def run(command, *, timeout=PATIENCE, check=False, **options) -> subprocess.CompletedProcess[str]:
    """A process from its start to its end; with `check` it must succeed. Its children do not outlive it.

    Raises `subprocess.TimeoutExpired` after `timeout` seconds, with nothing left running.
    """
    with started(command, **options) as process:
        out, err = process.communicate(timeout=timeout)
    assert not check or process.returncode == 0, (command, process.returncode, out, err)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def begin(command, **options) -> subprocess.Popen[str]:
    """Start a process that the caller hands to `end`; `started` does both."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, start_new_session=True, **({"env": environment()} | pipes | options))


def end(process: subprocess.Popen[str]) -> None:
    """Kill the process and all that it started, close its pipes and wait for it."""
    with contextlib.suppress(ProcessLookupError):  # all have ended by themselves
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(BrokenPipeError), process:  # leaving this block closes the pipes and waits
        pass
