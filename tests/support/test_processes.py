"""Whatever ends a test ends its processes, and theirs."""

import os
import select
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest
from support import forked, processes
from support.helpers import PATIENCE, environment

# A child that waits for a grandchild; both hold the pipe of the fixture `family` open as long as they live.
WAITS = ["sh", "-c", "sleep 3600 & echo begun; wait"]

STOPPED_BY_PYTEST = f"""
import os
import pytest
from support import processes

@pytest.mark.timeout(1, method="signal")
def test():
    with processes.started({WAITS}, pass_fds=[int(os.environ["FAMILY"])]) as process:
        process.wait()
"""


class Family:
    """A pipe to hand to a process, by which its descendants are seen to have ended."""

    def __init__(self):
        self._reader, self.writer = os.pipe()

    def is_gone(self):
        """No process holds the writing end any more; one that was killed a moment ago may take one to end."""
        os.close(self.writer)
        ended, _, _ = select.select([self._reader], [], [], PATIENCE / 10)
        return bool(ended) and os.read(self._reader, 1) == b""

    def close(self):
        os.close(self._reader)


@pytest.fixture
def family():
    made = Family()
    yield made
    made.close()


class Stopped(BaseException):
    """What stops a test from outside."""


@pytest.fixture
def stop_soon():
    """A function after which `Stopped` is raised in the test, as pytest-timeout raises its own."""

    def stop(number, frame):
        raise Stopped

    before = signal.signal(signal.SIGUSR1, stop)
    timer = threading.Timer(0.3, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    yield timer.start
    timer.join()
    signal.signal(signal.SIGUSR1, before)


def test_a_process_is_run_to_its_end():
    done = processes.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    with pytest.raises(AssertionError, match="err"):
        processes.run(["sh", "-c", "echo err >&2; exit 3"], check=True)


def test_children_do_not_outlive_a_process_that_ends(family):
    processes.run(["sh", "-c", "sleep 3600 >/dev/null 2>&1 &"], check=True, pass_fds=[family.writer])
    assert family.is_gone()


def test_a_limit_on_time_ends_process_and_children(family):
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(WAITS, timeout=0.3, pass_fds=[family.writer])
    assert family.is_gone()


def test_an_error_in_the_block_ends_process_and_children(family):
    def fail():
        with processes.started(WAITS, pass_fds=[family.writer]) as process:
            assert process.stdout.readline() == "begun\n"
            raise ZeroDivisionError(process)

    with pytest.raises(ZeroDivisionError) as error:
        fail()
    (process,) = error.value.args
    assert process.returncode == -signal.SIGKILL
    assert process.stdout.closed
    assert process.stderr.closed
    assert family.is_gone()


def test_a_test_stopped_by_pytest_timeout_ends_process_and_children(family, tmp_path, pytestconfig):
    path = tmp_path / "test_stopped.py"
    path.write_text(STOPPED_BY_PYTEST)
    helpers = pytestconfig.rootpath / "tests"
    done = processes.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", f"pythonpath={helpers}", path],
        env=environment() | {"FAMILY": str(family.writer)},
        cwd=tmp_path,
        pass_fds=[family.writer],
    )
    assert "1 failed" in done.stdout
    assert "Timeout" in done.stdout
    assert family.is_gone()


WORKER = """
import os, subprocess, sys
for line in sys.stdin:
    if "wait" in line:
        subprocess.run(["sleep", "3600"], close_fds=False)
    print('{"returncode": 0}', flush=True)
"""


def test_a_call_of_the_forking_process_that_is_stopped_owes_no_answer(family, stop_soon, tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(forked, "WORKER", tmp_path / "worker.py")
    os.set_inheritable(family.writer, True)
    monkeypatch.setattr(forked, "begin", partial(processes.begin, close_fds=False))
    with forked.Server() as server:
        stop_soon()
        with pytest.raises(Stopped):
            server("wait", cwd=tmp_path)
        assert family.is_gone()
        assert server("go", cwd=tmp_path).returncode == 0
