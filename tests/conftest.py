"""How properties are tested, the same examples everywhere and every time; and commands in forks of one process."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from support.forked import Server

# No limits on time, neither for an example nor for making it: a busy machine is no error.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def forks() -> Iterator[Server]:
    """Runs commands in forks of one process: see `forked.py`."""
    with Server() as server:
        yield server
