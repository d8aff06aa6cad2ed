"""Ctrl-C, SIGTERM and SIGHUP at any moment of a process of its own, from its imports to its end; or it is suspended."""

import random
import signal
import time
from types import SimpleNamespace

import pytest
from support import processes
from support.helpers import PATIENCE, arguments
from support.surviving import WORDS, check_same, check_so_far

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

TIMES = 10


def stopped(number, after, place):
    """How the process ended that was sent a signal after so many seconds."""
    with processes.started(arguments(*WORDS), cwd=place) as process:
        time.sleep(after)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    return SimpleNamespace(returncode=process.returncode, stdout=out, stderr=err)


NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


@pytest.mark.parametrize("number", NAMES, ids=NAMES.values())
def test_a_stopped_run_goes_on(number, forks, straight, ledger, tmp_path):
    chance = random.Random(int(number))
    begin = time.monotonic()
    processes.run(arguments(*WORDS), cwd=tmp_path, check=True)
    whole = time.monotonic() - begin
    for turn in range(TIMES):
        place = tmp_path / str(turn)
        place.mkdir()
        with ledger.fault(f"{NAMES[number]} at a random moment"):
            # Python itself needs a moment before it handles signals at all.
            done = stopped(number, chance.uniform(0.2, whole), place)
            # Before there is anything to save SIGTERM ends a process at once; a run that is over cannot be stopped.
            if done.returncode == 130:
                assert len(done.stderr.splitlines()) == 1, done.stderr
                assert done.stderr.startswith("ntm-train: ")
                assert "interrupted" in done.stderr or "everything saved; resume with: ntm-train" in done.stderr
            else:
                assert done.returncode in (0, -number), done
                assert done.stderr == ""
            check_so_far(place / "out", straight.folder)
            assert forks(*WORDS, cwd=place).returncode == 0
            check_same(place / "out", straight.folder)


def test_a_suspended_run_goes_on_as_if_nothing_had_been(straight, ledger, tmp_path):
    """Ctrl-Z and `fg`, or a laptop that is closed: several times, at any moment."""
    chance = random.Random("suspended")
    for turn in range(5):
        place = tmp_path / str(turn)
        place.mkdir()
        with (
            ledger.fault("suspended and continued at random moments"),
            processes.started(arguments(*WORDS), cwd=place) as process,
        ):
            while process.poll() is None:
                process.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0, 0.3))
                process.send_signal(signal.SIGCONT)
                time.sleep(chance.uniform(0.1, 0.6))
            _, err = process.communicate(timeout=PATIENCE)
            assert (process.returncode, err) == (0, "")
            check_same(place / "out", straight.folder)
