"""Full disks and folders that may not be written: a tmpfs of a few hundred kilobytes, mounts and flags of the kernel's.

All of it needs the right to mount, and is skipped without; a limit on the size of files stands in for it in
`tests/cli/test_train.py`.
"""

import contextlib
import re
import shutil
import subprocess

import pytest
from surviving import WORDS, check_same, check_so_far

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def mounted():
    """A function that calls mount and undoes it at the end of the test."""
    with contextlib.ExitStack() as undo:

        def mount(*words):
            done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
            undo.callback(subprocess.run, ["umount", "--lazy", str(words[-1])], check=True)

        yield mount


@pytest.fixture
def small_disk(mounted, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
    return disk


def leave(disk, free):
    """Fill the disk up to so many bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - free))


# How often a run logs and saves decides what is written most, and so what meets the end of the disk.
ROWS_MOST = ("train.log_every=1", "train.checkpoint_every=1000")
HIT = {
    "metrics.csv": r"metrics\.csv: No space|out: No space|write error",
    "events": r"events\.out",
    "checkpoint": r"checkpoint\.",
}


def test_a_full_disk_costs_nothing(forks, straight, ledger, small_disk):
    """Free space from next to nothing to nearly enough."""
    hit = set()
    for free in range(4_096, 40 * 4_096, 3 * 4_096):
        leave(small_disk, free)
        done = forks(*WORDS, cwd=small_disk)
        if done.returncode == 0:
            break
        assert "No space left on device" in done.stderr, done
        hit.add(re.sub(r"[\d.]*(vm|tmp|new).*", "", done.stderr.split(":")[1].rpartition("/")[2].strip()))
        with ledger.fault("disk full"):
            assert done.returncode in (1, 2), done
            assert len(done.stderr.splitlines()) == 1, done.stderr
            check_so_far(small_disk / "out", straight.folder)
            leave(small_disk, 1_000_000)
            assert forks(*WORDS, cwd=small_disk).returncode == 0
            check_same(small_disk / "out", straight.folder)
        shutil.rmtree(small_disk / "out")
    print(sorted(hit))
