"""How properties are tested, the same examples everywhere and every time; and commands in forks of one process."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from support.forked import Server

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def forks() -> Iterator[Server]:
    """Runs commands in forks of one process: see `forked.py`."""
    with Server() as server:
        yield server
