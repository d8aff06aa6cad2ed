"""Compiled code is the same whatever was kept; what compiles it is a process of its own, here mostly a stand-in."""

import os
import pickle
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from numba.core import codegen
from support import processes
from support.helpers import environment

from ntm_repro.jit import cache, isolation, vectors
from ntm_repro.jit.store import sealed

CODE = {"somewhere.function(float32)": b"machine code"}
# What most tests fetch.
PART = ("rest",)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache, the first and only one that will do, and a process that has fetched nothing."""
    monkeypatch.setattr(cache.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / f"temporary/cache-{os.geteuid()}").write_text("a file in the way")
    forget(monkeypatch)
    return tmp_path / "ntm-repro"


def forget(monkeypatch):
    monkeypatch.setattr(cache, "_prepared", set())
    monkeypatch.setattr(cache, "_code", {})
    monkeypatch.setattr(cache.ANNOUNCER, "said", False)


@pytest.fixture
def built(monkeypatch):
    """The codes that the stand-in for the processes that compile was run with.

    `built.answer` is how each ends, but for those whose part is in `built.failing`.
    """

    class Runs(list):
        answer = subprocess.CompletedProcess([], 0, sealed(pickle.dumps(CODE)), b"")
        failing = ()

    runs = Runs()

    def run(codes, packages, settings):
        runs.extend(codes)
        failed = subprocess.CompletedProcess([], 3, b"", b"no such module\n")
        return [failed if any(part in code for part in runs.failing) else runs.answer for code in codes]

    monkeypatch.setattr(isolation, "run", run)
    return runs


def prepare(capfd, parts=PART):
    """What is said meanwhile, line by line."""
    cache.prepare("float32", parts)
    return capfd.readouterr().err.splitlines()


# Kept code


def test_it_is_compiled_once_and_kept(home, built, capfd, monkeypatch):
    (line,) = prepare(capfd)
    assert line == "compiling the fused kernel, less than a minute on two cores (once for this machine)"
    assert cache._code == CODE
    assert prepare(capfd) == []
    forget(monkeypatch)
    assert prepare(capfd) == []
    assert cache._code == CODE
    assert built == ["from ntm_repro.jit import worker; worker.main('rest', 'float32')"]


def names(home):
    return {path.name.rpartition("-")[0] for path in home.iterdir() if path.suffix == ""}


@pytest.mark.parametrize("kind", ["ntm", "lstm"])
def test_only_the_parts_in_use_are_compiled_and_kept(home, built, capfd, kind):
    assert len(prepare(capfd, cache.parts_for(kind))) == 1
    assert names(home) == {"float32-rest", f"float32-{kind}_forward", f"float32-{kind}_backward"}


def test_the_other_kind_needs_its_own_parts_alone(home, built, capfd):
    prepare(capfd, cache.parts_for("lstm"))
    del built[:]
    prepare(capfd, cache.parts_for("ntm"))
    assert [code.partition("main(")[2] for code in built] == ["'ntm_forward', 'float32')", "'ntm_backward', 'float32')"]
    assert prepare(capfd, cache.PARTS) == []


def test_a_part_that_fails_takes_none_of_the_others_with_it(home, built, capfd, monkeypatch):
    built.failing = ("ntm_backward",)
    _, line = prepare(capfd, cache.parts_for("ntm"))
    assert "failed (no such module, exit status 3)" in line
    assert names(home) == {"float32-rest", "float32-ntm_forward"}
    built.failing = ()
    del built[:]
    forget(monkeypatch)
    prepare(capfd, cache.parts_for("ntm"))
    assert built == ["from ntm_repro.jit import worker; worker.main('ntm_backward', 'float32')"]


def test_what_another_process_compiled_while_this_one_waited_is_taken(home, built, capfd, monkeypatch):
    """Of its parts one is missing still: that one alone is compiled here."""
    other = sealed(pickle.dumps({"another.function(float32)": b"machine code of another process"}))
    locked = cache.Store.locked

    @contextmanager
    def late(store):
        with locked(store):
            if "ntm_forward" in store.name:
                (home / store.name).write_bytes(other)
            yield

    monkeypatch.setattr(cache.Store, "locked", late)
    prepare(capfd, ("ntm_forward", "ntm_backward"))
    assert built == ["from ntm_repro.jit import worker; worker.main('ntm_backward', 'float32')"]
    assert len(cache._code) == 2


def test_two_types_of_number_are_kept_apart(home, built):
    cache.prepare("float32", PART)
    cache.prepare("float64", PART)
    assert len(built) == 2
    assert sorted(path.name.partition("-")[0] for path in home.iterdir() if path.suffix == "") == ["float32", "float64"]


def test_a_damaged_file_is_compiled_anew_in_one_line_that_names_it(home, built, capfd, monkeypatch):
    prepare(capfd)
    (file,) = (path for path in home.iterdir() if path.suffix == "")
    os.truncate(file, 1000 % file.stat().st_size)
    forget(monkeypatch)
    (line,) = prepare(capfd)
    assert line.startswith("compiling the fused kernel")
    assert f"{file} is cut or damaged" in line
    assert cache._code == CODE
    forget(monkeypatch)
    assert prepare(capfd) == []
    assert len(built) == 2


def test_code_that_cannot_be_kept_is_the_same_code(home, built, capfd, monkeypatch):
    """Not compiled in this process, which would give other bits."""
    home.write_text("a file where the folder should be")
    compiling, problem = prepare(capfd)
    assert compiling.startswith("compiling the fused kernel")
    assert "cannot be kept" in problem
    assert f"{home} is not a folder" in problem
    assert cache._code == CODE


def test_code_kept_elsewhere_than_wanted_is_said_to_be(home, built, capfd, monkeypatch, tmp_path):
    home.write_text("a file where the folder should be")
    (tmp_path / f"temporary/cache-{os.geteuid()}").unlink()
    _, problem = prepare(capfd)
    assert f"kept it in {tmp_path / 'temporary'}" in problem
    assert f"{home} is not a folder" in problem
    forget(monkeypatch)
    assert prepare(capfd) == []
    assert len(built) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            subprocess.CompletedProcess([], 3, b"", b"Traceback:\n  ...\nImportError: no such module\n\n"),
            "no such module",
        ),
        (subprocess.CompletedProcess([], 0, sealed(b"code")[:-1], b""), "no message, exit status 0"),
        (subprocess.CompletedProcess([], -9, b"", b""), "exit status -9"),
        (OSError(12, "Cannot allocate memory"), "Cannot allocate memory"),
    ],
)
def test_a_failed_build_is_said_with_its_last_line_and_nothing_is_kept(home, built, capfd, answer, reason):
    built.answer = answer
    _, line = prepare(capfd)
    assert reason in line
    assert "may differ" in line
    assert [path.suffix for path in home.iterdir()] == [".lock"]
    assert cache._code == {}


def test_after_ctrl_c_the_next_call_compiles(home, built, monkeypatch):
    def interrupted(codes, packages, settings):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(isolation, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.prepare("float32", cache.parts_for("ntm"))
    assert {path.suffix for path in home.iterdir()} == {".lock"}, "nothing half-written"
    cache.prepare("float32", cache.parts_for("ntm"))
    assert cache._code == CODE


# Versions


def test_another_source_is_another_version(tmp_path, monkeypatch):
    found = []
    for place, content, time in (("a", "1", 1), ("a", "2", 1), ("a", "2", 2), ("b", "2", 2)):
        source = tmp_path / place / "jit/cache.py"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(content)
        os.utime(source, ns=(time, time))
        monkeypatch.setattr(cache, "PACKAGE", tmp_path / place)
        found.append(cache._version())
    assert found[0] != found[1]
    assert found[1] == found[2] == found[3], "the same sources at another place or time, as in an image's copy"


@pytest.fixture
def numba_settings(monkeypatch):
    """A function that sets variables of numba's; all is as before afterwards."""
    yield monkeypatch.setenv
    monkeypatch.undo()
    cache.config.reload_config()


@pytest.mark.parametrize(
    ("name", "value"),
    [("NUMBA_OPT", "1"), ("NUMBA_BOUNDSCHECK", "1"), ("NUMBA_LOOP_VECTORIZE", "0"), ("NUMBA_FUNCTION_CACHE_SIZE", "9")],
)
def test_numba_with_other_settings_is_another_version(numba_settings, name, value):
    before = cache._version()
    numba_settings(name, value)
    assert cache._version() != before


def test_numba_with_another_folder_or_number_of_threads_is_the_same_version(numba_settings, tmp_path):
    before = cache._version()
    numba_settings("NUMBA_CACHE_DIR", str(tmp_path))
    numba_settings("NUMBA_NUM_THREADS", "1")
    assert cache._version() == before


def test_a_settings_file_of_numbas_counts_and_reaches_the_process_that_compiles(
    numba_settings, home, built, monkeypatch, tmp_path
):
    """Which does not see the working directory, where that file lies."""
    before = cache._version()
    (tmp_path / ".numba_config.yaml").write_text("opt: '1'\n")
    monkeypatch.chdir(tmp_path)
    assert cache._version() != before
    assert cache._settings()["NUMBA_OPT"] == "1"


@pytest.mark.parametrize(("name", "value"), [("NUMBA_CPU_NAME", "generic"), ("NUMBA_CPU_FEATURES", "+sse2")])
def test_numba_for_another_processor_is_another_version(name, value):
    code = "from ntm_repro.jit import cache; print(cache._version())"
    command = [sys.executable, "-c", code]
    usual = processes.run(command, check=True).stdout
    assert processes.run(command, env=environment() | {name: value}, check=True).stdout != usual


def test_numbas_own_folder_comes_first(home, built, monkeypatch, tmp_path):
    monkeypatch.setattr(cache.config, "CACHE_DIR", str(tmp_path / "numba"))
    cache.prepare("float32", PART)
    assert (tmp_path / "numba/ntm-repro").is_dir()
    assert not home.exists()


# Compiled here


def doubling(module):
    def double(x):
        return x + x

    double.__module__ = module
    return cache.inner(double)


def test_compiling_here_is_announced_once(home, capfd):
    double = doubling(cache.__name__)
    for x in (1, 1.5, 2):
        double(x)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("compiling the fused kernel in this process")
    assert "may differ" in line


@pytest.mark.parametrize("module", ["somebody.elses", "ntm_repro.training.block"])
def test_compiling_other_functions_is_not_announced(module, home, capfd):
    doubling(module)(1)
    assert capfd.readouterr().err == ""


ENTRY = """
import pickle
from pathlib import Path
import numpy as np
from ntm_repro.jit import cache

def tripled(numbers):
    total = numbers.dtype.type(0)
    for number in numbers:
        total += number
    return total * 3

function = cache.entry(tripled)
"""
BUILD = f"""{ENTRY}
cache.BUILDING = True
function(np.ones(4))
Path("code").write_bytes(cache.compiled_code())
"""
USE = f"""{ENTRY}
cache._code.update(pickle.loads(Path("code").read_bytes()))
print(function(np.ones(4)))
"""


def test_what_one_process_compiled_another_runs(tmp_path):
    processes.run([sys.executable, "-c", BUILD], cwd=tmp_path, check=True)
    done = processes.run([sys.executable, "-c", USE], cwd=tmp_path, check=True)
    assert (done.stdout, done.stderr) == ("12.0\n", "")


def test_a_process_runs_what_another_compiled_for_other_features(tmp_path):
    """As where the processes that compile widen vectors: this one's numba need not be told."""
    env = environment() | {"NUMBA_CPU_FEATURES": f"{codegen.get_host_cpu_features()},{vectors.WIDE},-avx2"}
    processes.run([sys.executable, "-c", BUILD], cwd=tmp_path, env=env, check=True)
    done = processes.run([sys.executable, "-c", USE], cwd=tmp_path, check=True)
    assert (done.stdout, done.stderr) == ("12.0\n", "")


def test_arguments_of_other_types_compile_here_and_are_not_kept(home, capfd):
    def tripled(numbers):
        return numbers[0] * 3

    tripled.__module__ = cache.__name__
    function = cache.entry(tripled)
    assert function(np.ones(1, dtype=np.int16)) == 3
    assert "in this process" in capfd.readouterr().err
    assert cache._code == {}


@pytest.mark.parametrize("kernel", ["auto", "numba"])
def test_without_compiling_it_runs_eagerly_in_one_line(tmp_path, kernel):
    env = environment() | {"NUMBA_DISABLE_JIT": "1"}
    words = ("train", "run_dir=out", "train.sequences=3", "task.max_length=2", f"kernel={kernel}")
    done = processes.run([sys.executable, "-m", "ntm_repro", *words], cwd=tmp_path, env=env)
    (line,) = done.stderr.splitlines()
    assert "NUMBA_DISABLE_JIT is set" in line
    assert done.returncode == (0 if kernel == "auto" else 2)
