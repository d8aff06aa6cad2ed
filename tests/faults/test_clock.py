"""A clock that jumps back an hour, between two starts and in the middle of a run: Debian's libfaketime."""

import time
from pathlib import Path

import pytest
from support import processes
from support.helpers import PATIENCE, arguments, environment
from support.run_results import summary
from support.surviving import WORDS, check_curves, check_same

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR = 3600


def test_a_clock_set_back_changes_nothing(straight, ledger, tmp_path):
    if not LIBRARIES:
        pytest.skip("no libfaketime here")
    for turn in range(5):
        place = tmp_path / str(turn)
        place.mkdir()
        clock = place / "clock"
        # What a person or a time server sets is the time of day; the monotonic clock stays what it is.
        faked = {
            **environment(),
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        clock.write_text("+0")
        with ledger.fault("clock set back an hour"):
            begin = time.monotonic()
            for hour, rows_first in enumerate((5 + 5 * turn, 10 + 5 * turn), 1):
                with processes.started(arguments(*WORDS), cwd=place, env=faked) as process:
                    metrics = place / "out/metrics.csv"
                    while process.poll() is None and not (
                        metrics.exists() and metrics.read_text().count("\n") > rows_first
                    ):
                        time.sleep(0.005)
                    clock.write_text(f"-{hour * HOUR}")  # in the middle
                    if hour == 1:
                        process.kill()
                    _, err = process.communicate(timeout=PATIENCE)
                assert process.returncode in (0, -9), err
            assert process.returncode == 0
            assert err == ""
            check_same(place / "out", straight.folder)
            check_curves(place / "out")
            assert 0 < summary(place / "out")["wall_seconds"] < time.monotonic() - begin
