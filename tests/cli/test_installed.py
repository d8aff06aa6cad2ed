"""Tasks, models and sweepers of somebody else's installed packages, with no file of this repository touched."""

import json
import os

import pytest
from support import processes
from support.helpers import arguments, environment

TASK = """
from dataclasses import dataclass
from ntm_repro.tasks.copy import Copy

@dataclass(frozen=True)
class ReverseCopy(Copy):
    name: str = "reverse_copy"
    max_length: int = 7
"""
MODEL = """
from dataclasses import dataclass
from ntm_repro.models import lstm

@dataclass
class Settings(lstm.Settings):
    name: str = "small"
    size: int = 3
    gain: float = 1.0

build = lstm.build
"""
SWEEPER = """
from dataclasses import dataclass
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

@dataclass
class Settings:
    _target_: str = "hydra_plugins.counting.Counting"
    trials: int = 1

ConfigStore.instance().store(group="hydra/sweeper", name="counting", node=Settings, provider="counting")

class Counting(Sweeper):
    def __init__(self, trials):
        self.trials = trials

    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(hydra_context, task_function, config)

    def sweep(self, arguments):
        for number in range(self.trials):
            (job,) = self.launcher.launch([[*arguments, f"seed={number + 5}"]], initial_job_idx=number)
            print("objective", job.return_value)
"""
SHORT = ("train.sequences=2", "train.log_every=1", "kernel=eager")


@pytest.fixture
def run(tmp_path):
    """Runs a command in the folder `here`, with the packages installed."""
    site, here = tmp_path / "site", tmp_path / "here"
    about = site / "theirs-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "hydra_plugins").mkdir()
    here.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    points = {"tasks": ("reverse_copy", "their_task:ReverseCopy"), "models": ("small", "their_model")}
    text = "".join(f"[ntm_repro.{group}]\n{name} = {value}\n" for group, (name, value) in points.items())
    (about / "entry_points.txt").write_text(text)
    (site / "their_task.py").write_text(TASK)
    (site / "their_model.py").write_text(MODEL)
    (site / "hydra_plugins/counting.py").write_text(SWEEPER)

    def command(*words):
        return processes.run(
            arguments(*words),
            cwd=here,
            env=environment() | {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.getenv("PYTHONPATH")])])},
        )

    return command


def test_a_task_and_a_model_train_by_their_names(run, tmp_path):
    words = ("task=reverse_copy", "model=small", "task.max_length=3", *SHORT)
    done = run("train", *words)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "here/results/runs/reverse_copy/small").iterdir()
    assert folder.name == "seed1-max_length-3"
    record = json.loads((folder / "summary.json").read_text())["config"]
    assert record["task"] == {"name": "reverse_copy", "min_length": 1, "max_length": 3, "bits": 8}
    assert record["model"] == {"name": "small", "size": 3, "layers": 3, "gain": 1.0}
    assert run("train", f"run={folder}", "run_dir=again").returncode == 0


def test_they_are_among_the_choices(run):
    done = run("train", "--help").stdout
    assert "task: associative_recall, copy, dynamic_ngrams, priority_sort, repeat_copy, reverse_copy" in done
    assert "model: lstm, ntm, ntm_ff, small" in done
    assert "choose lstm or ntm or ntm_ff or small" in run("train", "model=large").stderr
    wrong = run("train", "-m", "model=ntm,small", "model.heads=2")
    assert wrong.returncode == 2
    assert "model.heads: no such setting with model=small" in wrong.stderr
    assert "(in the job model=small model.heads=2)" in wrong.stderr


def test_an_installed_sweeper_gets_what_it_makes_small(run, tmp_path):
    words = ("hydra/sweeper=counting", "hydra.sweeper.trials=2", "+hydra.job.env_set.MOON=1", "hydra.verbose=true")
    done = run("train", "-m", *words, "model=small", "task.max_length=2", *SHORT)
    assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "here/results/runs/copy/small").iterdir())
    assert [folder.name for folder in folders] == ["seed5-max_length-2", "seed6-max_length-2"]
    results = [json.loads((folder / "summary.json").read_text())["final_bits"] for folder in folders]
    assert [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("objective")] == results
    assert "\n  verbose: true\n" in (folders[0] / ".hydra/hydra.yaml").read_text()


def test_what_a_sweeper_is_not_to_change_is_checked_first(run, tmp_path):
    done = run("train", "-m", "hydra/sweeper=counting", "train.sequenses=3")
    assert done.returncode == 2
    assert "did you mean train.sequences?" in done.stderr
    assert list((tmp_path / "here").iterdir()) == []
