"""A study on disk: several that take from it, one that is gone, one of another space, databases that cannot be used."""

import json
import math
import os
import sqlite3

import pytest

from ntm_repro.errors import RunError, UsageError

optuna = pytest.importorskip("optuna")

from ntm_repro.sweeps import study as studies  # noqa: E402 — which needs Optuna
from ntm_repro.sweeps.study import Outcome, Sampling  # noqa: E402

SPACE = {
    "train.learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True),
    "optimiser": optuna.distributions.CategoricalDistribution(["adam", "graves_rmsprop"]),
}
ABOUT = {"task.name": "copy", "train.sequences": "100"}


def opened(folder, space=SPACE, about=ABOUT, name="tpe", seed=1):
    return studies.opened(folder / "study", "study", None, space, Sampling(name, seed, 3), about)


def finish(study, trial, value):
    study.tell(trial, Outcome.complete, value, [(100, value)], [{"seed": 1, "folder": "somewhere"}])


def points(folder, count, starts):
    """The first points of a study that is left and opened again after so many trials each time."""
    for _ in range(starts):
        with opened(folder) as study:
            for _ in range(count // starts):
                (trial,) = study.take(1, count)
                finish(study, trial, trial.params["train.learning_rate"])
    return [trial["params"] for trial in json.loads((folder / "study" / "trials.json").read_text())["trials"]]


def test_the_same_history_leads_to_the_same_points(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert points(tmp_path / "a", 8, 1) == points(tmp_path / "b", 8, 4)


def test_the_number_of_trials_is_that_of_the_study(tmp_path):
    with opened(tmp_path) as one, opened(tmp_path) as other:
        first, second = one.take(2, 3), other.take(2, 3)
        assert [trial.number for trial in first + second] == [0, 1, 2]
        assert one.take(1, 3) == []
        for trial in first:
            finish(one, trial, 1.0 + trial.number)
        finish(other, second[0], math.inf)
        assert one.best().number == 0
        assert other.counts() == {"complete": 3}


def test_what_a_process_leaves_goes_to_the_next(tmp_path):
    with opened(tmp_path) as study:
        (left,) = study.take(1, 5)
        with opened(tmp_path) as other:  # while the first is at work it keeps its trial
            assert other.take(1, 1) == []
    with opened(tmp_path) as study:
        assert study.take(1, 5) == [left]


def test_a_killed_process_leaves_its_trial_too(tmp_path):
    child = os.fork()
    if not child:
        with opened(tmp_path) as study:
            study.take(1, 5)
            os._exit(0)  # without a word, as a kill
    os.waitpid(child, 0)
    with opened(tmp_path) as study:
        assert [trial.number for trial in study.take(2, 5)] == [0, 1]
        assert len(list((tmp_path / "study" / "workers").iterdir())) == 1


def test_pruned_and_failed_trials(tmp_path):
    with opened(tmp_path) as study:
        trials = study.take(2, 2)
        study.tell(trials[0], Outcome.pruned, math.inf, [(10, 5.0), (20, 4.0)], [])
        study.tell(trials[1], Outcome.failed, math.nan, [], [])
        assert study.best() is None
        assert study.take(1, 2) == []
    recorded = json.loads((tmp_path / "study" / "trials.json").read_text())["trials"]
    assert [trial["state"] for trial in recorded] == ["pruned", "fail"]
    assert recorded[0]["value"] == 4.0


def test_a_grid_is_taken_once(tmp_path):
    space = {"model.heads": optuna.distributions.IntDistribution(1, 3), "optimiser": SPACE["optimiser"]}
    seen = []
    with opened(tmp_path, space, name="grid") as study:
        while taken := study.take(2, 100):
            for trial in taken:
                seen.append(tuple(trial.params[key] for key in space))
                finish(study, trial, 1.0)
    assert sorted(seen) == [(heads, name) for heads in (1, 2, 3) for name in ("adam", "graves_rmsprop")]
    with pytest.raises(UsageError, match="has no single values"):
        studies.grid("train.learning_rate", SPACE["train.learning_rate"])


def test_a_study_of_another_space_is_refused(tmp_path):
    with opened(tmp_path):
        pass
    fewer = {"optimiser": SPACE["optimiser"]}
    for space, about, key in ((fewer, ABOUT, "train.learning_rate"), (SPACE, ABOUT | {"task.name": "x"}, "task.name")):
        with pytest.raises(UsageError, match=f"another space \\({key} differs\\)"), opened(tmp_path, space, about):
            pass


def test_a_database_that_cannot_be_used_is_one_line(tmp_path, monkeypatch):
    with opened(tmp_path):
        pass
    monkeypatch.setattr(studies, "PATIENCE", 0.1)
    holder = sqlite3.connect(tmp_path / "study" / "study.db")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RunError, match=r"study\.db: database is locked"), opened(tmp_path):
        pass
    holder.close()
    (tmp_path / "study" / "study.db").write_bytes(b"no database " * 1000)
    with pytest.raises(RunError, match=r"study\.db: file is not a database"), opened(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "study").write_text("a file")
    with pytest.raises(RunError, match="study: File exists"), opened(tmp_path):
        pass
