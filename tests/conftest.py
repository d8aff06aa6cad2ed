"""How properties are tested, the same examples everywhere and every time; and commands in forks of one process."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from support.forked import Server

# Before anybody imports torch: with a thread for every core of a busy machine, each waits for the others, and a test of
# one second may take a minute. Tests of threads set their own number.
os.environ["OMP_NUM_THREADS"] = "1"

# A shell makes what it runs in the background ignore Ctrl-C, and nohup SIGHUP; some tests, and the processes they
# start, must not.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# No limits on time, neither for an example nor for making it: a busy machine is no error.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def forks() -> Iterator[Server]:
    """Runs commands in forks of one process: see `forked.py`."""
    with Server() as server:
        yield server
