"""The fault campaign: real processes, one short run, and what is done to it. `make faults` prints and keeps the table.

Every fault is survived if the run, started again as before, comes to the bits of a run that nothing happened to, or
is refused in one clear line with nothing changed.
"""

import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import processes
from support.forked import Server
from support.helpers import TINY
from support.surviving import WORDS

LEDGER = pytest.StashKey["Ledger"]()


class Ledger:
    """Faults met and survived, by kind."""

    def __init__(self):
        self.met, self.survived = Counter(), Counter()

    @contextmanager
    def fault(self, kind, count=1):
        """Counted as survived if the block ends without an error."""
        self.met[kind] += count
        yield
        self.survived[kind] += count

    def table(self):
        lines = ["| fault | count | survived |", "|---|--:|--:|"]
        return lines + [f"| {kind} | {count} | {self.survived[kind]} |" for kind, count in self.met.items()]


def pytest_addoption(parser):
    parser.addoption("--faults-table", help="where to keep the table of the fault campaign")


def pytest_configure(config):
    config.stash[LEDGER] = Ledger()


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash[LEDGER].table()
    if len(lines) == 2:
        return
    terminalreporter.section("fault campaign")
    terminalreporter.write_line("\n".join(lines))
    if config.getoption("--faults-table"):
        path = Path(config.getoption("--faults-table"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["# Fault campaign (`make faults`)", "", *lines]) + "\n")


@pytest.fixture(scope="session")
def ledger(request):
    return request.config.stash[LEDGER]


@pytest.fixture(scope="session")
def straight(forks, tmp_path_factory):
    """The run that nothing happens to: its `folder`, its touches of the file system, the `seconds` it takes."""
    place = tmp_path_factory.mktemp("straight")
    forks("train", "run_dir=first", "train.sequences=1", *TINY, cwd=place)  # on this machine perhaps: it compiles
    begin = time.monotonic()
    done = forks(*WORDS, cwd=place)
    assert done.returncode == 0, done
    return SimpleNamespace(folder=place / "out", events=done.events, seconds=time.monotonic() - begin)


@pytest.fixture(scope="session")
def second_server():
    """Another process that forks, for two commands at once."""
    with Server() as server:
        yield server


@pytest.fixture
def mounted():
    """A function that calls mount and undoes it at the end of the test."""
    with ExitStack() as undo:

        def mount(*words):
            done = processes.run(["mount", *map(str, words)])
            if done.returncode:
                pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
            undo.callback(processes.run, ["umount", "--lazy", str(words[-1])], check=True)

        yield mount
