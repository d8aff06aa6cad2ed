"""The command line as a user meets it: a process of its own in an empty folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.helpers import arguments
from support.processes import started

Command = Callable[..., SimpleNamespace]


@pytest.fixture
def command(forks: Command, tmp_path: Path) -> Command:
    """Runs `ntm-<word> …` in `tmp_path` to its end and returns what it came to: returncode, stdout, stderr."""
    return partial(forks, cwd=tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable]:
    """Starts `ntm-<word> …` in `tmp_path` from nothing, its outputs in pipes; killed at the end of the test."""
    with ExitStack() as processes:
        yield lambda *words: processes.enter_context(started(arguments(*words), cwd=tmp_path))
