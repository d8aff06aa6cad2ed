"""Each example does in seconds what it says."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from support import processes
from support.helpers import arguments, environment

ROOT = Path(__file__).resolve().parents[2]


def example(name):
    """The example as a module."""
    spec = spec_from_file_location(name, ROOT / f"examples/{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_network_around_the_core_learns_with_torchs_adam(capsys):
    assert example("own_network").main(300) > 0.9
    assert capsys.readouterr().out.count("right") == 3


def test_a_trained_machine_copies_a_text_and_its_memory_is_drawn(tmp_path, capsys):
    picture = tmp_path / "memory.png"
    text = "a text longer than any of the sequences it was trained on"
    assert example("own_input").main(str(ROOT / "results/paper/copy/ntm/seed1"), text, str(picture)) == text
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"copy: {text!r} -> {text!r}" in capsys.readouterr().out


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package with a task of its own, installed in a folder."""
    folder = tmp_path_factory.mktemp("installed")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(ROOT / "examples/own_task")]
    processes.run([sys.executable, *install], check=True)
    return folder


def test_a_task_in_a_package_of_its_own_trains_and_is_evaluated(installed, tmp_path):
    env = environment() | {"PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])}

    def command(*words):
        done = processes.run(arguments(*words), cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "finished: 40 sequences" in command("train", "task=reverse_copy", "debug=fast", "run_dir=out")
    assert "of 100" in command("eval", "run=out")
    assert "reverse_copy" in command("train", "--help")
