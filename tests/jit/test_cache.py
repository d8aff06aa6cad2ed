"""Where machine code is kept: never where it cannot be written, nor where others could have put theirs."""

import os
import sys

import pytest
from support import processes
from support.helpers import environment

from ntm_repro.jit import cache


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """The two places that are tried, in order."""
    first, second = tmp_path / "home", tmp_path / "temporary"
    monkeypatch.setenv("XDG_CACHE_HOME", str(first))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(second))
    second.mkdir()
    return first, second


def test_first_in_the_users_cache(homes):
    folder = cache._cache_folder()
    assert folder.is_dir()
    assert folder.parent == homes[0] / "ntm-repro"
    assert folder.stat().st_mode & 0o077 == 0
    assert cache._cache_folder() == folder


def test_then_in_the_temporary_folder(homes):
    homes[0].write_text("a file where a folder should be")
    folder = cache._cache_folder()
    assert folder.parent == homes[1] / f"cache-{os.getuid()}" / "ntm-repro"


def test_nowhere_if_nothing_can_be_written(homes):
    homes[0].write_text("a file")
    homes[1].rmdir()
    homes[1].write_text("another")
    assert cache._cache_folder() is None


def test_not_where_others_may_write(homes):
    cache._cache_folder().chmod(0o777)
    assert cache._cache_folder().is_relative_to(homes[1])


def test_other_sources_have_another_folder(homes, tmp_path, monkeypatch):
    before = cache._cache_folder()
    (tmp_path / "jit").mkdir()
    (tmp_path / "jit/cache.py").write_text("# another version")
    monkeypatch.setattr(cache, "PACKAGE", tmp_path)
    assert cache._cache_folder() != before


def test_the_same_sources_written_at_another_time_or_place_have_another_folder(homes, tmp_path, monkeypatch):
    """Numba would not take the code that is there, and compile in this process: other bits than in one of its own."""
    found = []
    for place, time in (("a", 1), ("a", 2), ("b", 2)):
        source = tmp_path / place / "jit/cache.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("# the same")
        os.utime(source, ns=(time, time))
        monkeypatch.setattr(cache, "PACKAGE", tmp_path / place)
        found.append(cache._cache_folder())
    assert len(set(found)) == 3


@pytest.fixture
def announcer(monkeypatch):
    """As if it had said nothing yet."""
    monkeypatch.setattr(cache.ANNOUNCER, "said", False)


def doubling(module):
    def double(x):
        return x + x

    double.__module__ = module
    return cache.inner(double)


def test_compiling_is_announced_once_and_a_call_that_compiles_nothing_is_not(announcer, capsys):
    double = doubling(cache.__name__)
    for x in (1, 1.5, 2):
        double(x)
    lines = [line for line in capsys.readouterr().err.splitlines() if "machine" in line]
    assert len(lines) == 1
    assert lines[0].startswith("compiling the fused kernel")


def test_compiling_other_functions_is_not_announced(announcer, capsys):
    doubling("somebody.elses")(1)
    assert capsys.readouterr().err == ""


def test_it_is_built_once_in_a_process_of_its_own(tmp_path):
    """There the machine code does not depend on what this process compiled before."""
    code = (
        "from ntm_repro.jit import cache\n"
        "calls = []\n"
        "cache.subprocess.run = lambda command, **_: calls.append(command) or type('Done', (), {'returncode': 0})\n"
        "for _ in range(2): cache.prepare('float32')\n"
        "cache._prepared.clear(); cache.prepare('float32')\n"
        "print(calls[0][1:], len(calls), sorted(path.name for path in cache._CACHE.iterdir()))"
    )
    env = environment() | {"XDG_CACHE_HOME": str(tmp_path)}
    done = processes.run([sys.executable, "-c", code], env=env, check=True)
    worker = "['-m', 'ntm_repro.jit.worker', 'float32']"
    assert done.stdout.strip() == f"{worker} 1 ['float32.built', 'lock']"
    assert done.stderr.startswith("compiling the fused kernel")
