"""The command line as a user meets it: a subprocess in an empty folder."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import PATIENCE, arguments, environment

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `ntm-<word> …` in `tmp_path` and returns the completed process."""

    def run(*words: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments(*words), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=timeout
        )

    return run


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `ntm-<word> …` in `tmp_path`, its standard output in a pipe."""

    def run(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            arguments(*words),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.fixture
def quick_command(forks: Callable[..., SimpleNamespace], tmp_path: Path) -> Callable[..., SimpleNamespace]:
    """Like `command`, for commands that end at once."""
    return partial(forks, cwd=tmp_path)
