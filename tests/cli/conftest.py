"""The command line as a user meets it: a process of its own in an empty folder."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.helpers import arguments, environment

Command = Callable[..., SimpleNamespace]


@pytest.fixture
def command(forks: Command, tmp_path: Path) -> Command:
    """Runs `ntm-<word> …` in `tmp_path` to its end and returns what it came to: returncode, stdout, stderr."""
    return partial(forks, cwd=tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `ntm-<word> …` in `tmp_path` from nothing, its standard output in a pipe."""

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
