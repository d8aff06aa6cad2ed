"""A process that sees nothing of the working directory, nor takes a file beside a script for the standard library's."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import processes
from support.helpers import environment

from ntm_repro.jit import isolation

# Those written in Python or C that a file could stand in for; the others are part of the interpreter.
NAMES = sorted(sys.stdlib_module_names - set(sys.builtin_module_names) - {"this", "antigravity", "idlelib"})


def stray(folder, names):
    for name in names:
        (folder / f"{name}.py").write_text("raise SystemExit(3)\n")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(code, packages=()):
    (done,) = isolation.run([code], packages, {})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()


@pytest.fixture(scope="module")
def working_directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


USUAL = ["token", "random", "types", "copy", "code", "queue", "io", "numbers", "signal", "test", "site", "tokenize"]


@settings(max_examples=10)
@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=30))
def test_files_named_like_standard_modules_are_not_run(working_directory, names):
    names |= set(USUAL)
    for path in working_directory.iterdir():
        path.unlink()
    stray(working_directory, names)
    code = "import sys, token, random, copy, numpy\nprint(*sys.path)"
    assert str(working_directory) not in found(code)


@pytest.mark.parametrize("how", ["-c", "-m", "PYTHONPATH", "relative", "script"])
def test_however_this_process_was_started(tmp_path, how):
    """From a folder with a token.py that only the isolated process must not see: it is written after the imports."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own/mine.py").write_text(
        "from pathlib import Path\nfrom ntm_repro.jit import isolation\n"
        "Path(__file__).with_name('token.py').write_text('raise SystemExit(3)')\n"
        "Path('token.py').write_text('raise SystemExit(3)')\n"
        "(done,) = isolation.run(['import token, tokenize; print(token.__file__)'], [], {})\n"
        "print(done.returncode, done.stdout.decode(), done.stderr.decode())\n"
    )
    cwd, env, words = tmp_path / "own", environment(), {"-m": ["-m", "mine"], "script": ["own/mine.py"]}
    if how == "PYTHONPATH":
        env["PYTHONPATH"] = os.pathsep.join(["", str(cwd)])
    if how == "relative":
        env["PYTHONPATH"] = "own"
    if how in ("relative", "script"):
        cwd = tmp_path
    done = processes.run([sys.executable, *words.get(how, ["-c", "import mine"])], cwd=cwd, env=env, check=True)
    code, file = done.stdout.split()
    assert code == "0"
    assert Path(file).parent == Path(os.__file__).parent


def test_what_this_process_imports_from_elsewhere_is_imported(here, monkeypatch):
    (here / "elsewhere").mkdir()
    (here / "elsewhere/mine.py").write_text("where = 'elsewhere'")
    monkeypatch.setattr(sys, "path", [*sys.path, "elsewhere"])
    assert found("import mine, ntm_repro; print(mine.where)") == ["elsewhere"]


def test_packages_are_imported_from_the_working_directory_last(here):
    stray(here, ["token", "numpy"])
    (here / "mine.py").write_text("where = 'here'")
    assert found("import mine, token, numpy; print(mine.where)", [here]) == ["here"]


def test_a_working_directory_that_was_removed(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert found("print('done')") == ["done"]


def test_both_outputs_come_back_and_settings_arrive():
    code = "import os, sys; print(os.environ['NUMBA_OPT']); sys.exit('failed')"
    (done,) = isolation.run([code], [], {"NUMBA_OPT": "1"})
    assert (done.returncode, done.stdout, done.stderr) == (1, b"1\n", b"failed\n")


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_without_an_interpreter_it_is_an_error_of_the_operating_system(monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    (error,) = isolation.run([""], [], {})
    assert isinstance(error, OSError)
    assert "unknown" in str(error) or "No such file" in str(error)


def test_several_run_at_the_same_time_and_answer_in_order(here):
    """Each waits for a file that the other makes; what they write does not fit a pipe."""
    code = (
        "import pathlib, sys, time\n"
        "mine, other = (pathlib.Path({folder!r}) / name for name in {names})\n"
        "mine.touch()\n"
        "while not other.exists(): time.sleep(0.01)\n"
        "sys.stdout.write(mine.name * 200_000); sys.stderr.write(mine.name * 200_000); sys.exit({status})\n"
    )
    codes = [
        code.format(folder=str(here), names=names, status=status)
        for names, status in ((("a", "b"), 0), (("b", "a"), 3))
    ]
    first, second = isolation.run(codes, [], {})
    assert (first.returncode, first.stdout, first.stderr) == (0, b"a" * 200_000, b"a" * 200_000)
    assert (second.returncode, second.stdout, second.stderr) == (3, b"b" * 200_000, b"b" * 200_000)


def test_ctrl_c_ends_all(here):
    """The signal reaches only the process that waits, as `kill` sends it."""
    code = "import os, pathlib, time\n(pathlib.Path({folder!r}) / str(os.getpid())).touch()\ntime.sleep(600)"
    waiting = (
        "from ntm_repro.jit import isolation\n"
        f"try: isolation.run([{code.format(folder=str(here))!r}] * 2, [], {{}})\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    with processes.started([sys.executable, "-c", waiting]) as process:
        while len(numbers := [int(path.name) for path in here.iterdir()]) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=processes.PATIENCE)[0] == "interrupted\n"
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
