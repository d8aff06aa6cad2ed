"""Median pruning from rows on disk: the decisions of Optuna's MedianPruner on the same numbers."""

import json

import numpy as np
import pytest

from ntm_repro.sweeps.pruning import MedianPruning
from ntm_repro.training import metrics


def row(sequences, bits):
    return dict.fromkeys(metrics.COLUMNS, 0.0) | {"sequences": sequences, "bits_per_sequence": bits}


def study(root, curves, states=None):
    """trials.json, and the records of its trials: rows of 100 sequences."""
    trials = []
    for number, bits in enumerate(curves):
        folder = root / str(number)
        folder.mkdir()
        rows = [row(100 * (place + 1), cost) for place, cost in enumerate(bits)]
        metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
        state = "complete" if states is None else states[number]
        trials.append({"state": state, "runs": [{"seed": 1, "folder": str(folder)}]})
    (root / "trials.json").write_text(json.dumps({"trials": trials}))
    return root / "trials.json"


def test_the_decisions_of_optuna(tmp_path):
    optuna = pytest.importorskip("optuna")
    draw = np.random.default_rng(1)
    curves = draw.uniform(0, 10, (7, 6)).tolist()
    ours = MedianPruning(study(tmp_path, curves), seed=1, fewest=5, from_sequences=0)
    theirs = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=5))
    for bits in curves:
        steps = {100 * (place + 1): cost for place, cost in enumerate(bits)}
        theirs.add_trial(optuna.create_trial(value=bits[-1], intermediate_values=steps))
    decisions = set()
    for _ in range(60):
        trial, rows = theirs.ask(), []
        for place, cost in enumerate(draw.uniform(0, 10, 6)):
            trial.report(cost, 100 * (place + 1))
            rows.append(row(100 * (place + 1), cost))
            decisions.add(trial.should_prune())
            assert ours.is_hopeless(rows) == trial.should_prune()
            if trial.should_prune():
                break
    assert decisions == {True, False}


def test_none_ends_before_enough_have_finished_or_early(tmp_path):
    trials = study(tmp_path, [[1.0, 1.0]] * 4, ["complete", "complete", "pruned", "running"])
    bad = [row(100, 9.0)]
    assert MedianPruning(trials, 1, fewest=2, from_sequences=0).is_hopeless(bad)
    assert not MedianPruning(trials, 1, fewest=3, from_sequences=0).is_hopeless(bad)
    assert not MedianPruning(trials, 1, fewest=2, from_sequences=200).is_hopeless(bad)
    assert MedianPruning(trials, 1, fewest=2, from_sequences=200).is_hopeless([*bad, row(200, 8.0)])
    assert not MedianPruning(trials, 2, fewest=1, from_sequences=0).is_hopeless(bad)
    assert not MedianPruning(tmp_path / "nothing.json", 1, fewest=0, from_sequences=0).is_hopeless(bad)


def test_the_best_row_so_far_counts(tmp_path):
    trials = study(tmp_path, [[5.0, 4.0], [5.0, 4.0]])
    judge = MedianPruning(trials, 1, fewest=2, from_sequences=0)
    assert not judge.is_hopeless([row(100, 3.0), row(200, 9.0)])
    assert judge.is_hopeless([row(100, 4.5), row(200, 9.0)])
    assert not judge.is_hopeless([row(100, 9.0), row(250, 9.0)])  # at no row of the others
