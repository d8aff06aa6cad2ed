"""Full disks and folders that may not be written: a tmpfs of a few hundred kilobytes, mounts and flags of the kernel's.

All of it needs the right to mount, and is skipped without; a limit on the size of files stands in for it in
`tests/cli/test_train.py`.
"""

import shutil
import signal
import time
from pathlib import Path

import pytest
from support import processes
from support.helpers import PATIENCE, arguments
from support.run_results import rows, same_weights
from support.surviving import SEQUENCES, WORDS, check_refused, check_same, check_so_far, content

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PAGE, ENOUGH = 4_096, 1_200_000  # bytes


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


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("what is written most", ()),
        ("rows and events", ("train.log_every=1", f"train.checkpoint_every={SEQUENCES}")),
    ],
)
def test_a_full_disk_costs_nothing(written, words, forks, straight, ledger, small_disk, tmp_path):
    """Free space from next to nothing to nearly enough: each time another write is the first that finds no room."""
    other = straight.folder
    if words:
        assert forks(*WORDS, *words, cwd=tmp_path).returncode == 0
        other = tmp_path / "out"
    met = set()
    for free in range(2 * PAGE, 60 * PAGE, 5 * PAGE):
        leave(small_disk, free)
        done = forks(*WORDS, *words, cwd=small_disk)
        leave(small_disk, ENOUGH)
        if done.returncode == 0:
            break
        with ledger.fault("disk full"):
            assert done.returncode in (1, 2), done
            assert len(done.stderr.splitlines()) == 1, done.stderr
            assert "No space left on device" in done.stderr, done
            met.add(Path(done.stderr.removeprefix("ntm-train: ").partition(": ")[0]).name.partition(".tfevents")[0])
            check_so_far(small_disk / "out", other)
            assert forks(*WORDS, *words, cwd=small_disk).returncode == 0
            assert rows(small_disk / "out") == rows(other)
            assert same_weights(small_disk / "out", other)
        shutil.rmtree(small_disk / "out")
    print("first to find no room:", *sorted(met))
    assert len(met) > 1


def test_a_read_only_folder_is_refused(forks, straight, ledger, mounted, tmp_path):
    """At the start, by a mount that even root cannot write through; then writable again."""
    for turn in range(3):
        place = tmp_path / str(turn)
        place.mkdir()
        forks(*WORDS, cwd=place, signal=signal.SIGKILL, at_event=straight.events * (turn + 1) // 5)
        folder = place / "out"
        with ledger.fault("folder read-only at the start"):
            before = content(folder)
            processes.run(["mount", "--bind", folder, folder], check=True)
            try:
                processes.run(["mount", "-o", "remount,bind,ro", folder], check=True)
                check_refused(
                    forks(*WORDS, cwd=place), "run_dir=out", "Read-only file system", "choose another run_dir"
                )
            finally:
                processes.run(["umount", folder], check=True)
            assert content(folder) == before
            assert forks(*WORDS, cwd=place).returncode == 0
            check_same(folder, straight.folder)


def test_a_folder_that_turns_unwritable_stops_the_run(straight, forks, ledger, tmp_path):
    """In the middle, by the file system's own flag: no file may be made, renamed or removed in it any more."""
    if processes.run(["chattr", "+i", tmp_path]).returncode:
        pytest.skip("this file system or user cannot make a folder immutable")
    processes.run(["chattr", "-i", tmp_path], check=True)
    for turn in range(3):
        place = tmp_path / str(turn)
        place.mkdir()
        with processes.started(arguments(*WORDS), cwd=place) as process:
            while process.poll() is None and len(list((place / "out").glob("checkpoint*"))) < 2:
                time.sleep(0.01)
            with ledger.fault("folder unwritable in the middle"):
                processes.run(["chattr", "+i", place / "out"], check=True)
                try:
                    _, err = process.communicate(timeout=PATIENCE)
                finally:
                    processes.run(["chattr", "-i", place / "out"], check=True)
                assert process.returncode == 1, err
                assert len(err.splitlines()) == 1, err
                assert "Operation not permitted; stopped at" in err
                check_so_far(place / "out", straight.folder)
                assert forks(*WORDS, cwd=place).returncode == 0
                check_same(place / "out", straight.folder)


def test_a_folder_that_is_moved_away_stops_the_run(straight, forks, ledger, tmp_path):
    """In the middle; where it is now the run goes on."""
    for turn in range(3):
        place = tmp_path / str(turn)
        place.mkdir()
        with (
            ledger.fault("folder moved away in the middle"),
            processes.started(arguments(*WORDS), cwd=place) as process,
        ):
            while process.poll() is None and len(list((place / "out").glob("checkpoint*"))) < 2:
                time.sleep(0.01)
            (place / "out").rename(place / "moved")
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 1, err
            (line,) = err.splitlines()
            assert line.startswith("ntm-train: out"), line
            assert "No such file or directory; stopped at" in line
            (place / "moved").rename(place / "out")
            check_so_far(place / "out", straight.folder)
            assert forks(*WORDS, cwd=place).returncode == 0
            check_same(place / "out", straight.folder)


def test_a_record_that_is_removed_or_replaced_in_the_middle_is_put_back(straight, ledger, tmp_path):
    """By an editor that saves it, or by hand."""
    for turn in range(4):
        place = tmp_path / str(turn)
        place.mkdir()
        metrics = place / "out/metrics.csv"
        with (
            ledger.fault("metrics.csv removed or replaced in the middle"),
            processes.started(arguments(*WORDS), cwd=place) as process,
        ):
            while process.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") > 5 * turn):
                time.sleep(0.005)
            if turn % 2:
                metrics.unlink()
            else:
                (place / "edited").write_text(metrics.read_text() + "\n")
                (place / "edited").replace(metrics)
            _, err = process.communicate(timeout=PATIENCE)
            assert (process.returncode, err) == (0, "")
            check_same(place / "out", straight.folder)
