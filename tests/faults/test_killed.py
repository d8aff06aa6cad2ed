"""kill -9 at any moment: by the clock, and just before any touch of the file system, checkpoint writes included."""

import random
import signal

import pytest
from support.surviving import SEQUENCES, WORDS, check_curves, check_same, check_so_far

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

KILLS, IN_A_ROW = 25, 5


@pytest.mark.parametrize("how", ["at a random moment", "before a random touch of a file"])
def test_a_killed_run_goes_on(how, forks, straight, ledger, tmp_path):
    """Several times in a row, each time where it happens to be; then to the end."""
    chance = random.Random(how)
    kind = f"kill -9 {how}"
    killed, number = 0, 0
    while killed < KILLS:
        number += 1
        place = tmp_path / str(number)
        place.mkdir()
        in_this = 0
        while in_this < IN_A_ROW and killed < KILLS:
            if how == "at a random moment":
                when = {"after": chance.uniform(0, straight.seconds)}
            else:
                when = {"at_event": chance.randrange(1, straight.events)}
            done = forks(*WORDS, cwd=place, signal=signal.SIGKILL, **when)
            if done.returncode == 0:
                break  # it was over before
            assert done.returncode == -signal.SIGKILL, done
            killed += 1
            in_this += 1
            with ledger.fault(kind):
                check_so_far(place / "out", straight.folder)
        done = forks(*WORDS, cwd=place)
        assert done.returncode == 0, done
        check_same(place / "out", straight.folder)
        check_curves(place / "out")


def test_the_moments_reach_into_checkpoints(straight):
    """A checkpoint is some ten touches of the file system: most of the random ones fall into one."""
    assert straight.events > 10 * (SEQUENCES // 30)
