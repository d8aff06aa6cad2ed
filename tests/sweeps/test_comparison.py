"""Runs that are compared: grouped by what was varied, over the same number of sequences, the best first."""

import json
import math

import pytest

from ntm_repro.errors import UsageError
from ntm_repro.sweeps import comparison
from ntm_repro.sweeps.objective import Objective
from ntm_repro.training import metrics


def record(root, name, settings, bits, status="finished", planned=None):
    """A run of rows of 1,000 sequences. settings: {dotted key: value}."""
    folder = root / name
    folder.mkdir(parents=True)
    rows = [
        dict.fromkeys(metrics.COLUMNS, 0.0) | {"sequences": 1000 * (number + 1), "bits_per_sequence": cost}
        for number, cost in enumerate(bits)
    ]
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
    config = {"train": {"sequences": planned or 1000 * len(bits), "log_every": 1000}, "settings": settings}
    about = {"task": "copy", "model": "ntm", "seed": settings["seed"], "status": status}
    summary = about | {"sequences": 1000 * len(bits), "config": config}
    (folder / "summary.json").write_text(json.dumps(summary))


def compared(root, kind=Objective.final_bits, sequences=None):
    return comparison.compare(comparison.find([root]), lambda run: run.config["settings"], kind, sequences)


def test_medians_over_seeds_the_best_first(tmp_path):
    costs = {0.1: (5.0, 1.0, 3.0), 0.01: (2.0, 2.0, 9.0)}
    for rate, values in costs.items():
        for seed, cost in enumerate(values, 1):
            record(tmp_path, f"{rate}/{seed}", {"train.learning_rate": rate, "seed": seed}, [cost, cost])
    both = compared(tmp_path)
    assert both.varied == ["train.learning_rate"]
    assert [(setting.values, setting.median) for setting in both.settings] == [((0.01,), 2.0), ((0.1,), 3.0)]
    assert [run.run.seed for run in both.settings[1].runs] == [1, 2, 3]
    assert both.settings[1].best.run.seed == 2


def test_longer_runs_count_as_they_were(tmp_path):
    record(tmp_path, "a", {"x": 1, "seed": 1}, [4.0, 4.0, 0.0, 0.0])
    record(tmp_path, "b", {"x": 2, "seed": 1}, [3.0, 3.0])
    both = compared(tmp_path)
    assert both.sequences == 2000
    assert [setting.values for setting in both.settings] == [(2,), (1,)]
    assert both.settings[1].median == 4.0
    assert len(both.settings[1].runs[0].rows) == 2


def test_what_did_not_get_there_is_in_no_median(tmp_path):
    record(tmp_path, "a", {"x": 1, "seed": 1}, [1.0], status="interrupted", planned=2000)
    record(tmp_path, "b", {"x": 1, "seed": 2}, [1.0], status="pruned", planned=2000)
    record(tmp_path, "c", {"x": 2, "seed": 1}, [9.0, 9.0])
    record(tmp_path, "d", {"x": 2, "seed": 2}, [9.0], status="diverged", planned=2000)
    both = compared(tmp_path)
    last = both.settings[1]
    assert (last.values, last.known, last.is_ranked) == ((1,), [], False)
    assert math.isnan(last.median)
    assert both.settings[0].known == [9.0, math.inf]
    assert len(both.unfinished) == 3


def test_a_choice_hides_what_follows_from_it():
    adam = {"optimiser.name": "adam", "optimiser.beta2": 0.999, "train.clip": "norm"}
    steady = {"optimiser.name": "steady_adam", "optimiser.beta2": 0.95, "train.clip": "norm"}
    assert comparison.varied_keys([adam, steady]) == ["optimiser.name"]
    assert comparison.varied_keys([adam, steady, {**adam, "optimiser.beta2": 0.99}]) == [
        "optimiser.name",
        "optimiser.beta2",
    ]
    assert comparison.varied_keys([adam, {**adam, "seed": 2}]) == []


def test_runs_are_found_once_and_their_absence_said(tmp_path):
    record(tmp_path, "a/b", {"seed": 1}, [1.0])
    assert len(comparison.find([tmp_path, tmp_path / "a"])) == 1
    with pytest.raises(UsageError, match="no such folder"):
        comparison.find([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no runs there"):
        comparison.find([tmp_path / "empty"])
    (tmp_path / "empty" / "train.log").touch()
    assert comparison.never_begun([tmp_path]) == [tmp_path / "empty"]
