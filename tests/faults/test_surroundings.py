"""What surrounds a process: the folder of compiled code, the user, the working directory, the standard streams.

Each fault hits a process with an empty or damaged cache, which compiles; its record must be the undisturbed run's.
Some need root and are skipped without.
"""

import os
import random
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import processes
from support.helpers import PATIENCE, arguments, environment
from support.run_results import rows, same_weights
from support.surviving import WORDS, check_same

from ntm_repro.jit.store import FOLDER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="session")
def code(straight):
    """The files of compiled code with which the undisturbed run was trained, as some candidate folder holds them."""
    script = (
        "from ntm_repro.jit import cache, store\n"
        "for part in cache.parts_for('ntm'):\n"
        "    name = f'float32-{part}-{cache._version()}'\n"
        "    paths = [folder / name for folder in store.candidates(cache.config.CACHE_DIR)]\n"
        "    print(next(path for path in paths if path.exists()))"
    )
    return [Path(line) for line in processes.run([sys.executable, "-c", script], check=True).stdout.splitlines()]


def copy_into(folder, code):
    folder.mkdir()
    for file in code:
        shutil.copy(file, folder / file.name)
        (folder / file.name).chmod(0o644)


@pytest.fixture
def cache(tmp_path):
    """An empty folder that comes before all others."""
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


def train(place, cache, *prefix, words=WORDS, **env):
    """A process of its own that trains with `cache`; `prefix`: a command that runs it."""
    env = environment() | {"NUMBA_CACHE_DIR": str(cache)} | env
    return processes.run([*prefix, *arguments(*words)], cwd=place, env=env)


def elsewhere(cache):
    """An environment in which all other folders for compiled code are unusable or this one."""
    return {"XDG_CACHE_HOME": "/dev/null", "HOME": "/dev/null", "TMPDIR": str(cache)}


def check(done, straight, place):
    assert done.returncode == 0, done
    check_same(place / "out", straight.folder)


@contextmanager
def as_root(*commands):
    """Commands that only root may run; skips the test where they fail."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for command in commands:
        done = processes.run([str(word) for word in command])
        if done.returncode:
            pytest.skip(f"not allowed here: {done.stderr.strip()}")
    yield


@pytest.fixture
def small_disk(cache):
    with as_root(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", cache]):
        yield cache
    processes.run(["umount", "--lazy", str(cache)], check=True)


def test_compiled_code_that_finds_no_room(straight, ledger, small_disk, tmp_path):
    """Neither there nor anywhere else."""
    home = {"XDG_CACHE_HOME": "/dev/null", "HOME": "/dev/null", "TMPDIR": str(small_disk)}
    with ledger.fault("no room for compiled code"):
        done = train(tmp_path, small_disk, **home)
        check(done, straight, tmp_path)
        _, problem = done.stderr.splitlines()
        assert f"{small_disk / FOLDER}: No space left on device" in problem


def test_compiled_code_that_is_damaged(straight, ledger, code, cache, tmp_path):
    chance = random.Random(1)
    content = code[0].read_bytes()
    target = cache / FOLDER / code[0].name
    copy_into(target.parent, code)
    place_of = chance.randrange(len(content))
    flipped = content[:place_of] + bytes([content[place_of] ^ 1]) + content[place_of + 1 :]
    for turn, damage in enumerate((content[: chance.randrange(len(content))], b"", flipped)):
        place = tmp_path / str(turn)
        place.mkdir()
        target.write_bytes(damage)
        with ledger.fault("compiled code cut, empty or changed"):
            # Nowhere else either: or what is kept there would be used.
            done = train(place, cache, **elsewhere(cache))
            check(done, straight, place)
            (line,) = done.stderr.splitlines()
            assert f"{target} is cut or damaged" in line


def test_files_named_like_standard_modules_in_the_working_directory(straight, ledger, cache, tmp_path):
    """With the command as it is installed: Python itself takes the working directory for `python -m`."""
    command = Path(sys.executable).with_name("ntm-train")
    if not command.exists():
        pytest.skip("ntm-train is not installed")
    place = tmp_path / "place"
    place.mkdir()
    for name in sys.stdlib_module_names:
        (place / f"{name}.py").write_text("raise SystemExit(3)\n")
    env = environment() | {"NUMBA_CACHE_DIR": str(cache)} | elsewhere(cache)
    with ledger.fault("files named like standard modules"):
        done = processes.run([str(command), *WORDS[1:]], cwd=place, env=env)
        check(done, straight, place)
        (line,) = done.stderr.splitlines()
        assert line.startswith("compiling the fused kernel, less than a minute ")


def test_a_read_only_cache_of_an_image(straight, ledger, code, cache, tmp_path):
    """Another user finds what root built with the image."""
    copy_into(cache / FOLDER, code)
    with as_root(["mount", "--bind", cache, cache], ["mount", "-o", "remount,bind,ro", cache]):
        try:
            with ledger.fault("read-only folder of compiled code"):
                done = train(tmp_path, cache)
                check(done, straight, tmp_path)
                assert done.stderr == ""
        finally:
            processes.run(["umount", "--lazy", str(cache)], check=True)


def test_a_user_without_entry_or_home(straight, ledger, code, tmp_path):
    """As in containers that are run under any number. The user may read what this Python needs, wherever that lies."""
    reading = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    user = ("setpriv", "--reuid=12345", "--clear-groups", *reading, "env", "-u", "HOME", "-u", "XDG_CACHE_HOME")
    with as_root([*user, sys.executable, "-c", "import ntm_repro"]):
        place = tmp_path / "place"
        place.mkdir()
        os.chown(place, 12345, -1)
        temporary = place / "temporary"
        temporary.mkdir()
        os.chown(temporary, 12345, -1)
        with ledger.fault("user without entry or home"):
            done = train(place, "", *user, TMPDIR=str(temporary))
            check(done, straight, place)
            assert len(done.stderr.splitlines()) == 1, done.stderr


def test_two_at_once_on_an_empty_cache(straight, ledger, cache, tmp_path):
    """One compiles, the other says at once what it waits for; both train the same run."""
    with ledger.fault("two processes at once, nothing compiled"):
        places = [tmp_path / name for name in ("first", "second")]
        env = environment() | {"NUMBA_CACHE_DIR": str(cache)} | elsewhere(cache)
        for place in places:
            place.mkdir()
        with (
            processes.started(arguments(*WORDS), cwd=places[0], env=env) as first,
            processes.started(arguments(*WORDS), cwd=places[1], env=env) as second,
        ):
            said = [process.communicate(timeout=PATIENCE)[1] for process in (first, second)]
        for place, process in zip(places, (first, second), strict=True):
            assert process.returncode == 0
            check_same(place / "out", straight.folder)
        assert sorted(("waiting" in line, "a minute on two cores" in line) for line in said) == [
            (False, True),
            (True, False),
        ]
        begin = time.monotonic()
        third = train(tmp_path, cache)
        assert third.stderr == ""
        assert time.monotonic() - begin < PATIENCE / 10


def test_numba_set_otherwise_than_when_the_cache_was_built(straight, ledger, code, cache, tmp_path):
    """What was kept is not taken for it; here by a setting that leaves the code as it is."""
    copy_into(cache / FOLDER, code)
    with ledger.fault("numba's settings changed under the compiled code"):
        done = train(tmp_path, cache, NUMBA_FUNCTION_CACHE_SIZE="127", **elsewhere(cache))
        check(done, straight, tmp_path)
        (line,) = done.stderr.splitlines()
        assert line.startswith("compiling the fused kernel, less than a minute ")
    assert len(list((cache / FOLDER).glob("float32-*[!k]"))) == 2 * len(code)


# Read by Python before all else; there is no file system here that has no locks.
WITHOUT_LOCKS = """
import errno, fcntl, os
def flock(descriptor, operation):
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
fcntl.flock = flock
"""


def test_a_file_system_without_locks(straight, ledger, cache, tmp_path):
    (tmp_path / "patch").mkdir()
    (tmp_path / "patch/sitecustomize.py").write_text(WITHOUT_LOCKS)
    with ledger.fault("file system without locks"):
        done = train(tmp_path, cache, PYTHONPATH=str(tmp_path / "patch"), **elsewhere(cache))
        check(done, straight, tmp_path)
        warning, compiling, unlocked = sorted(done.stderr.splitlines(), key=lambda line: "cannot be locked" in line)
        assert "no lock on out" in warning + compiling
        assert f"{cache / FOLDER} cannot be locked (Function not implemented), going on without" in unlocked


def test_a_locale_without_the_characters_of_a_path(straight, ledger, tmp_path):
    """Python takes the bytes of ü for none that are text."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    with ledger.fault("locale without the characters of a path"):
        for folder in ("jürgen", os.fsdecode(b"lat\xfcn")):
            words = [word.replace("run_dir=out", f"run_dir={folder}") for word in WORDS]
            done = processes.run(arguments(*words), cwd=tmp_path, env=environment() | plain)
            assert (done.returncode, done.stderr) == (0, "")
            check_same(tmp_path / folder, straight.folder)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, straight, ledger, tmp_path):
    with ledger.fault("standard streams closed"):
        done = processes.run(["sh", "-c", f'exec "$@" {closed}', "sh", *arguments(*WORDS)], cwd=tmp_path)
        check(done, straight, tmp_path)
        assert done.stderr == ""


def test_an_output_of_few_characters(straight, ledger, tmp_path):
    with ledger.fault("output of few characters"):
        done = processes.run(arguments(*WORDS), cwd=tmp_path, env=environment() | {"PYTHONIOENCODING": "ascii"})
        check(done, straight, tmp_path)
        assert rows(tmp_path / "out") == rows(straight.folder)
        assert same_weights(tmp_path / "out", straight.folder)
