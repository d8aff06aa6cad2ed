"""The choice of kernel on the command line, where numba cannot be imported."""

import os

import pytest
from support import processes
from support.helpers import TINY, arguments, environment


@pytest.fixture
def without_numba(tmp_path):
    """An environment in which importing numba fails."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "numba.py").write_text("raise ImportError('no numba for this Python')\n")
    path = os.pathsep.join(filter(None, [str(broken), os.environ.get("PYTHONPATH")]))
    return environment() | {"PYTHONPATH": path}


def train(tmp_path, env, *words):
    command = arguments("train", "debug=fast", "run_dir=run", *TINY, *words)
    return processes.run(command, cwd=tmp_path, env=env)


def test_asked_for_by_name_it_is_refused_before_anything_is_written(tmp_path, without_numba):
    done = train(tmp_path, without_numba, "kernel=numba")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("ntm-train: kernel=numba: numba cannot be imported (no numba for this Python)")
    assert "kernel=eager" in line
    assert not (tmp_path / "run").exists()


def test_auto_warns_once_and_runs_eager(tmp_path, without_numba):
    done = train(tmp_path, without_numba)
    assert done.returncode == 0
    assert done.stdout.startswith("copy · ntm")
    assert "eager kernel" in done.stdout.splitlines()[0]
    (line,) = done.stderr.splitlines()
    assert line.startswith("ntm-train: warning: kernel=auto: numba cannot be imported")
    assert (tmp_path / "run/train.log").read_text().count("numba cannot be imported") == 1


def test_other_commands_warn_alike(tmp_path, without_numba):
    assert train(tmp_path, without_numba).returncode == 0
    done = processes.run(arguments("eval", "run=run", "lengths=[2]", "sequences=1"), cwd=tmp_path, env=without_numba)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("ntm-eval: warning: kernel=auto: numba cannot be imported")
