"""hydra/sweeper=optuna: from a command line to its best, killed and resumed, and refused where there is no search."""

import json
import os
import signal
import time

import pytest
from support.helpers import PATIENCE, TINY

pytest.importorskip("optuna")

RATE = "train.learning_rate=tag(log, interval(1e-4, 3e-2))"
WORDS = ("train", "-m", "hydra/sweeper=optuna", *TINY[:-1], "train.sequences=40", "train.log_every=10")
NAMED = "hydra.sweeper.study_name=study"


def trials(place):
    return json.loads((place / "results/sweeps/study/trials.json").read_text())["trials"]


def test_a_search_from_beginning_to_end(command, tmp_path):
    done = command(*WORDS, RATE, "optimiser=choice(adam,graves_rmsprop)", "hydra.sweeper.n_trials=4", NAMED)
    assert done.returncode == 0, done.stderr
    found = trials(tmp_path)
    assert [trial["state"] for trial in found] == ["complete"] * 4
    for trial in found:
        (run,) = trial["runs"]
        summary = json.loads((tmp_path / run["folder"] / "summary.json").read_text())
        assert summary["final_bits"] == trial["value"]
        assert summary["config"]["train"]["learning_rate"] == trial["params"]["train.learning_rate"]
        assert summary["optimiser"] == trial["params"]["optimiser"]
    best = min(found, key=lambda trial: trial["value"])
    assert f"best, trial {best['number']}: {best['value']:.4f} bits" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("  ntm-train "))
    again = command("train", *line.split()[1:], "train.log_every=10", "results_dir=again")
    assert again.returncode == 0, again.stderr
    (summary,) = (tmp_path / "again").rglob("summary.json")
    assert json.loads(summary.read_text())["final_bits"] == best["value"]
    # Once more, everything is there.
    assert (
        command(*WORDS, RATE, "optimiser=choice(adam,graves_rmsprop)", "hydra.sweeper.n_trials=4", NAMED).stdout.count(
            "\ntrial "
        )
        == 0
    )
    assert command("sweep", "results/sweeps/study").returncode == 0


@pytest.mark.slow
def test_every_trial_runs_every_seed(command, tmp_path):
    done = command(*WORDS, "optimiser=choice(adam,steady_adam)", "seed=1,2,3", "hydra.sweeper.n_trials=1", NAMED)
    assert done.returncode == 0, done.stderr
    (trial,) = trials(tmp_path)
    finals = [
        json.loads((tmp_path / run["folder"] / "summary.json").read_text())["final_bits"] for run in trial["runs"]
    ]
    assert trial["value"] == sorted(finals)[1]
    assert "ntm-train -m task=copy model=ntm" in done.stdout
    assert "seed=1,2,3" in done.stdout


def test_a_diverged_trial_is_the_worst(command, tmp_path):
    done = command(*WORDS, "train.learning_rate=1e30,1e-3", "hydra/sweeper/sampler=grid", NAMED)
    assert done.returncode == 0, done.stderr
    assert "trial 0: diverged" in done.stdout
    assert [(trial["state"], trial["value"] is None) for trial in trials(tmp_path)] == [
        ("complete", True),
        ("complete", False),
    ]
    assert "best, trial 1" in done.stdout


@pytest.mark.slow
def test_a_killed_search_goes_on(start, command, tmp_path):
    words = list(WORDS)
    words[words.index("train.sequences=40")] = "train.sequences=6000"
    words += [RATE, NAMED, "train.checkpoint_every=1000", "hydra.sweeper.n_trials=2", "hydra/sweeper/pruner=none"]
    process = start(*words)
    records = "results/sweeps/study/copy/ntm/*/checkpoint.pt"
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob(records)):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert "1 running trials" in done.stdout or "1 complete" in done.stdout.splitlines()[0]
    assert "resumed at" in done.stdout or "finished" in done.stdout
    assert [(trial["number"], trial["state"]) for trial in trials(tmp_path)] == [(0, "complete"), (1, "complete")]
    assert len(list(tmp_path.rglob("summary.json"))) == 2


def test_what_is_no_search_is_refused(command, tmp_path):
    for words, said in {
        (): "nothing to search",
        ("train.learning_rate=interval(3,1)",): "low <= high",
        ("train.learning_rate=tag(log,interval(0,1))",): "low > 0",
        ("train.learning_rate=interval(-1,1)",): "train.learning_rate=-1.0: must be a finite number above 0",
        ("optimiser=choice()",): "empty choice is not legal",
        ("optimiser=choice(adam,sgd)",): "optimiser=sgd: unknown",
        ("optimiser=interval(0,1)",): "a choice has no interval",
        ("train.learning_rat=interval(1e-4,1e-3)",): "did you mean train.learning_rate?",
        (RATE, "hydra.sweeper.n_trials=0"): "hydra.sweeper.n_trials=0: must be 1 or more",
        (RATE, "hydra.sweeper.direction=maximize"): "every objective= is made small",
        (RATE, "hydra/sweeper/sampler=cmaes"): "choose grid or random or tpe",
        (RATE, "hydra/sweeper/sampler=grid"): "has no single values",
        (RATE, "seed=interval(1,5)"): "name seeds one by one",
        (RATE, "hydra.sweeper.study_name=../x"): "names a folder",
        (RATE, "run_dir=here"): "all trials would share it",
    }.items():
        done = command(*WORDS, *words)
        assert done.returncode == 2, (words, done.stderr)
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert list(tmp_path.iterdir()) == [], words


@pytest.mark.slow
def test_another_space_under_the_same_name_is_refused(command, tmp_path):
    command(*WORDS, RATE, NAMED, "hydra.sweeper.n_trials=1")
    before = trials(tmp_path)
    for words in ((RATE.replace("3e-2", "1e-2"),), (RATE, "task.bits=4"), (RATE, "train.sequences=50")):
        done = command(*WORDS, *words, NAMED, "hydra.sweeper.n_trials=2")
        assert done.returncode == 2, words
        assert "holds a study of another space" in done.stderr
    assert trials(tmp_path) == before


@pytest.mark.slow
def test_a_prepared_sweep_gives_the_space(command, tmp_path):
    words = ("train", "sweep=read_order", "hydra/sweeper=optuna", *TINY, "train.sequences=20", "train.log_every=10")
    done = command(*words, "seed=1,2", "hydra.sweeper.n_trials=2", "hydra/sweeper/sampler=grid", NAMED)
    assert done.returncode == 0, done.stderr
    assert [trial["params"] for trial in trials(tmp_path)] == [
        {"model.read_order": "before"},
        {"model.read_order": "after"},
    ]
    assert len(list((tmp_path / "results/sweeps/study").rglob("summary.json"))) == 4
    assert done.stdout.splitlines()[-1].endswith(": ntm-sweep results/sweeps/study")
