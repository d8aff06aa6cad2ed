"""Where compiled code is kept: only where nobody else can put theirs, and never taken if it is not whole."""

import os
import sys
import tempfile
from contextlib import contextmanager
from errno import ENOSYS
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import processes

from ntm_repro.jit import store
from ntm_repro.jit.store import FOLDER, Store, Unusable, candidates, distrusted, sealed, unsealed

CODE = b"machine code " * 100


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The four folders that are tried, in order."""
    bases = {name: tmp_path / name for name in ("numba", "xdg", "home", "temporary")}
    for base in bases.values():
        base.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(bases["xdg"]))
    monkeypatch.setenv("HOME", str(bases["home"]))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(bases["temporary"]))
    return SimpleNamespace(
        numba=bases["numba"] / FOLDER,
        xdg=bases["xdg"] / FOLDER,
        home=bases["home"] / ".cache" / FOLDER,
        temporary=bases["temporary"] / f"cache-{os.geteuid()}" / FOLDER,
    )


@pytest.fixture
def said():
    return []


@pytest.fixture
def kept(places, said):
    return Store("code", str(places.numba.parent), said.append)


# Candidates


def test_the_folders_in_order(places):
    assert list(candidates(str(places.numba.parent))) == [places.numba, places.xdg, places.home, places.temporary]


def test_without_variables_home_comes_first(places, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert list(candidates()) == [places.home, places.temporary]
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert list(candidates()) == [places.home, places.temporary]


def test_a_home_that_is_not_there_is_not_made(places, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    assert list(candidates()) == [places.xdg, places.temporary]


def no_home(_class):
    raise RuntimeError("Could not determine home directory.")


def no_temporary_folder():
    raise FileNotFoundError("No usable temporary directory found")


def test_neither_a_home_nor_a_temporary_folder(places, monkeypatch):
    monkeypatch.setattr(Path, "home", classmethod(no_home))
    monkeypatch.setattr(tempfile, "gettempdir", no_temporary_folder)
    assert list(candidates()) == [places.xdg]
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert list(candidates()) == []


def test_the_temporary_folder_is_asked_for_only_when_needed(places, kept, monkeypatch):
    def asked():
        raise AssertionError("asked for")

    monkeypatch.setattr(tempfile, "gettempdir", asked)
    assert kept.write(CODE) == places.numba
    assert kept.read() == CODE
    with kept.locked():
        pass


# Reading and writing


def test_what_is_written_is_read(places, kept):
    assert kept.read() is None
    assert kept.write(CODE) == places.numba
    assert kept.read() == CODE
    assert kept.problems == []
    assert [path.name for path in places.numba.iterdir()] == ["code"]


def test_it_is_readable_by_all_and_writable_by_its_owner(places, kept):
    """So that what is built with an image is there for every user of its containers."""
    before = os.umask(0)
    try:
        kept.write(CODE)
    finally:
        os.umask(before)
    for path in (places.numba, places.numba / "code"):
        assert path.stat().st_mode & 0o022 == 0
        assert path.stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("blocked", range(4))
def test_the_first_folder_that_will_do(places, kept, said, blocked):
    folders = list(vars(places).values())
    for folder in folders[:blocked]:
        folder.parent.mkdir(exist_ok=True)
        folder.write_text("a file where a folder should be")
    assert kept.write(CODE) == folders[blocked]
    assert [problem.partition(" ")[0] for problem in kept.problems] == [str(folder) for folder in folders[:blocked]]
    assert kept.read() == CODE


def test_no_folder_will_do(places, kept):
    for folder in vars(places).values():
        folder.parent.mkdir(exist_ok=True)
        folder.write_text("a file where a folder should be")
    assert kept.write(CODE) is None
    assert len(kept.problems) == 4
    assert kept.read() is None
    with kept.locked():  # nothing to lock, nothing to end a run for
        pass


def test_what_was_kept_in_a_later_folder_is_used(places, kept):
    (places.temporary).mkdir(parents=True)
    (places.temporary / "code").write_bytes(sealed(CODE))
    (places.temporary / "code").chmod(0o600)
    assert kept.read() == CODE


def test_a_failed_write_leaves_nothing_behind(places, kept, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert kept.write(CODE) is None
    assert kept.problems == [f"{folder}: No space left on device" for folder in vars(places).values()]
    assert [list(folder.iterdir()) for folder in vars(places).values()] == [[], [], [], []]


@pytest.fixture
def small_disk(places):
    disk = places.numba.parent
    done = processes.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)])
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    yield disk
    processes.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("free", [True, False])
def test_a_full_disk_is_named_and_the_next_folder_taken(places, kept, said, small_disk, free):
    if not free:
        with pytest.raises(OSError, match="No space"):
            (small_disk / "filler").write_bytes(bytes(1_000_000))
    content = CODE * 1000
    with kept.locked():
        assert kept.write(content) == places.xdg
    assert kept.problems == [f"{places.numba}: No space left on device"]
    assert kept.read() == content
    assert said == []
    assert not list(small_disk.rglob("*.tmp"))


def test_a_read_only_folder_is_read_and_not_written(places, kept, mounted_read_only):
    """As in a container's image: what it was built with is there."""
    assert kept.read() == CODE
    assert kept.problems == []
    with kept.locked():
        assert kept.write(b"other") == places.xdg
    assert kept.problems == [f"{places.numba}: Read-only file system"]
    assert kept.read() == CODE


@pytest.fixture
def mounted_read_only(places, kept):
    kept.write(CODE)
    folder = str(places.numba.parent)
    done = processes.run(["mount", "--bind", folder, folder])
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    processes.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    yield
    processes.run(["umount", "--lazy", folder], check=True)


# Damage


@given(st.binary(max_size=200), st.data())
def test_no_truncation_and_no_flipped_bit_is_taken_for_code(content, data):
    whole = sealed(content)
    assert unsealed(whole) == content
    cut = data.draw(st.integers(0, len(whole) - 1), "cut")
    assert unsealed(whole[:cut]) is None
    bit = data.draw(st.integers(0, 8 * len(whole) - 1), "bit")
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    assert unsealed(bytes(flipped)) is None


@pytest.mark.parametrize("damage", [b"", b"x", sealed(CODE)[:-1], sealed(CODE) + b"x", CODE])
def test_a_damaged_file_is_named_and_replaced(places, kept, damage):
    kept.write(CODE)
    (places.numba / "code").write_bytes(damage)
    assert kept.read() is None
    assert kept.problems == [f"{places.numba / 'code'} is cut or damaged"]
    kept.write(CODE)
    assert kept.read() == CODE


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_read(places, kept, make):
    places.numba.mkdir()
    make(places.numba / "code")
    assert kept.read() is None
    assert len(kept.problems) == 1


# Trust


def open_to_all(path):
    path.chmod(0o777)


def open_to_a_group(path):
    path.chmod(0o775)
    if os.geteuid() == 0:
        os.chown(path, -1, 12345)


def somebody_elses(path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize("opened", [open_to_all, open_to_a_group, somebody_elses])
@pytest.mark.parametrize("above", range(3))
def test_a_folder_in_which_others_have_a_say_is_passed_over(tmp_path, said, places, opened, above):
    """The folder itself and any above it: whoever may write there can put another in its place."""
    first = tmp_path / "a/b"
    kept = Store("code", str(first), said.append)
    assert kept.write(CODE) == first / FOLDER
    folder = [first / FOLDER, *(first / FOLDER).parents][above]
    opened(folder)
    assert kept.read() is None
    assert kept.problems[0].startswith(f"{folder} ")
    assert kept.write(b"other") == places.xdg
    assert kept.problems[0].startswith(f"{folder} ")
    assert unsealed((first / FOLDER / "code").read_bytes()) == CODE


@pytest.mark.parametrize("opened", [open_to_all, somebody_elses])
def test_a_file_that_others_may_write_is_passed_over(places, kept, opened):
    kept.write(CODE)
    opened(places.numba / "code")
    assert kept.read() is None
    assert kept.problems == [f"{places.numba / 'code'} may be written by other users"]


def test_in_a_folder_for_all_a_folder_of_ones_own_is_trusted(tmp_path):
    """The sticky bit keeps others from replacing it, as in /tmp."""
    (tmp_path / "own").mkdir()
    tmp_path.chmod(0o1777)
    assert distrusted(tmp_path / "own") is None
    assert "may be written" in distrusted(tmp_path)
    tmp_path.chmod(0o777)
    assert "may be written" in distrusted(tmp_path / "own")


def test_a_link_is_as_good_as_where_it_leads(tmp_path, places):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    assert str(tmp_path / "open") in distrusted(tmp_path / "link" / FOLDER)


def test_what_cannot_be_made_is_no_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises((Unusable, OSError)):
        store._make(tmp_path / "file" / FOLDER)


# Locks


HOLD = """
import sys
from ntm_repro.jit.store import Store
with Store("code", sys.argv[1], print).locked():
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holding(folder):
    """Another process that has the lock until the end of the block, or until a line is written to it."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with processes.started(command, stdin=-1) as process:
        assert process.stdout.readline() == "held\n"
        yield process


def test_waiting_for_another_process_is_said_at_once(places, said):
    with holding(places.numba.parent) as process:
        # What is said ends the waiting: so it was said before.
        def say(line):
            said.append(line)
            process.stdin.write("\n")
            process.stdin.flush()

        with Store("code", str(places.numba.parent), say).locked():
            process.wait()
    assert len(said) == 1
    assert str(places.numba) in said[0]
    assert "waiting" in said[0]


def test_a_lock_that_nobody_holds_is_taken_silently(kept, said):
    with kept.locked():
        pass
    with kept.locked():
        pass
    assert said == []


def test_a_process_that_ended_holds_no_lock(places, kept, said):
    with holding(places.numba.parent) as process:
        process.kill()
        process.wait()
        with kept.locked():
            assert said == []


def test_without_locks_it_goes_on_and_says_so(places, kept, said, monkeypatch):
    """A file system without flock, as Lustre's by default; there is none to try it on."""

    def flock(descriptor, operation):
        raise OSError(ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", flock)
    with kept.locked():
        kept.write(CODE)
    assert kept.read() == CODE
    assert len(said) == 1
    assert f"{places.numba} cannot be locked (Function not implemented)" in said[0]
