"""A finished run that is evaluated: its record is torn, or may only be read. No number that was there is lost."""

import json
import random
import shutil

import pytest
from support import processes
from support.surviving import content

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

WORDS = ("eval", "run=out", "lengths=[3]", "sequences=2")


@pytest.fixture
def finished(straight, tmp_path):
    """A folder with a copy of the undisturbed run."""
    shutil.copytree(straight.folder, tmp_path / "out")
    return tmp_path


def test_a_torn_evaluation_is_named_and_kept(forks, ledger, finished):
    assert forks(*WORDS, cwd=finished).returncode == 0
    path = finished / "out/eval.json"
    whole, chance = path.read_bytes(), random.Random(1)
    for _ in range(10):
        with ledger.fault("eval.json cut at a random offset"):
            torn = whole[: chance.randrange(len(whole) - 2)]
            path.write_bytes(torn)
            done = forks(*WORDS, cwd=finished)
            assert done.returncode in (1, 2), done
            (line,) = done.stderr.splitlines()
            assert line.startswith("ntm-eval: out/eval.json: "), line
            assert path.read_bytes() == torn


def test_a_run_that_may_only_be_read_shows_its_numbers(forks, ledger, finished, mounted):
    folder = finished / "out"
    mounted("--bind", folder, folder)
    processes.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
    with ledger.fault("evaluation of a run that may only be read"):
        before = content(folder)
        done = forks(*WORDS, cwd=finished)
        assert done.returncode == 1
        assert " of 2" in done.stdout
        (line,) = done.stderr.splitlines()
        assert "out/eval.json: the numbers above could not be written (Read-only file system); out=FILE" in line
        assert content(folder) == before
        assert forks(*WORDS, "out=found.json", cwd=finished).returncode == 0
        assert json.loads((finished / "found.json").read_text())["grid"][0]["setting"] == 3
