"""What a run is judged by: against values worked out by hand, and always over the same number of sequences."""

import json
import math

import pytest

from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs
from ntm_repro.sweeps import objective
from ntm_repro.sweeps.objective import Objective
from ntm_repro.training import metrics


def recorded(folder, bits, status="finished", trained=None):
    """A run of rows of 1,000 sequences with these bits."""
    rows = [
        dict.fromkeys(metrics.COLUMNS, 0.0) | {"sequences": 1000 * (number + 1), "bits_per_sequence": cost}
        for number, cost in enumerate(bits)
    ]
    folder.mkdir(exist_ok=True)
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
    trained = trained or 1000 * len(bits)
    config = {"train": {"sequences": trained, "log_every": 1000}}
    summary = {"task": "copy", "model": "ntm", "seed": 1, "sequences": trained, "status": status, "config": config}
    (folder / "summary.json").write_text(json.dumps(summary))
    return runs.read(folder)


def test_bits_at_the_end_of_the_length_asked_for(tmp_path):
    run = recorded(tmp_path / "run", [10.0] * 10 + [1.0] * 10)
    assert objective.of_run(Objective.final_bits, run, 20_000) == pytest.approx(1.0)
    assert objective.of_run(Objective.final_bits, run, 15_000) == pytest.approx(5.5)
    assert objective.of_run(Objective.final_bits, run, 10_000) == pytest.approx(10.0)
    assert objective.of_run(Objective.final_bits, run, 3_000) == pytest.approx(10.0)


def test_a_longer_run_says_what_the_shorter_one_would(tmp_path):
    bits = [8.0, 4.0, 2.0, 1.0]
    longer, shorter = recorded(tmp_path / "a", [*bits, 0.5, 0.25]), recorded(tmp_path / "b", bits)
    for kind in Objective:
        values = [objective.of_run(kind, run, 4_000) for run in (longer, shorter)]
        assert values[0] == values[1] or all(map(math.isnan, values)), kind


def test_thresholds_count_sequences(tmp_path):
    run = recorded(tmp_path / "run", [2.0] * 10 + [0.0] * 10 + [11.0] + [0.0] * 10)
    # Of the ten rows up to 16,000 six are without cost: 0.8 bits.
    assert objective.of_run(Objective.first_below_1, run, 30_000) == 16_000
    assert objective.of_run(Objective.stays_below_1, run, 31_000) == 31_000
    assert objective.of_run(Objective.first_below_1, run, 15_000) == math.inf


def test_divergence_is_worst_and_a_run_without_rows_unknown(tmp_path):
    diverged = recorded(tmp_path / "a", [1.0, 1.0], status="diverged")
    assert objective.of_run(Objective.final_bits, diverged, 10_000) == math.inf
    assert objective.of_run(Objective.wrong_bits_long, diverged, 10_000, 120) == math.inf
    # What happened after the length that is compared does not count.
    assert objective.of_run(Objective.final_bits, diverged, 1_000) == 1.0
    short = recorded(tmp_path / "b", [], trained=20)
    assert math.isnan(objective.of_run(Objective.final_bits, short, 20))
    assert math.isnan(objective.of_run(Objective.first_below_1, short, 20))


def test_wrong_bits_of_the_condition(tmp_path):
    run = recorded(tmp_path / "run", [1.0])
    entry = {
        "setting": [20, 10],
        "sequences": 100,
        "bits": 2.0,
        "wrong_bits": 3.5,
        "perfect": 0.0,
        "optimum_bits": None,
    }
    (tmp_path / "run" / "eval.json").write_text(json.dumps({"checkpoint_sequences": 1000, "grid": [entry]}))
    assert objective.of_run(Objective.wrong_bits_long, run, 1000, (20, 10)) == 3.5
    assert math.isnan(objective.of_run(Objective.wrong_bits_long, runs.read(tmp_path / "run"), 1000, (10, 20)))


def test_a_damaged_record_is_said(tmp_path):
    run = recorded(tmp_path / "run", [1.0])
    (tmp_path / "run" / "eval.json").write_text("{")
    with pytest.raises(UsageError, match=r"eval\.json: damaged"):
        objective.of_run(Objective.wrong_bits_long, run, 1000, 120)


def test_a_run_that_began_from_weights_is_judged_from_its_own_first_row(tmp_path):
    """Its first row is of 1,000 sequences, not of all that its counter says."""
    run = recorded(tmp_path / "run", [8.0, 4.0, 0.0, 0.0])
    config = json.loads((tmp_path / "run/summary.json").read_text())["config"]
    config["train"] |= {"first_sequence": 500_000, "sequences": 504_000}
    rows = [row | {"sequences": row["sequences"] + 500_000} for row in run.rows]
    metrics.write_rows(tmp_path / "run/metrics.csv", metrics.COLUMNS, rows)
    summary = run.summary | {"sequences": 504_000, "config": config}
    (tmp_path / "run/summary.json").write_text(json.dumps(summary))
    run = runs.read(tmp_path / "run")
    assert objective.of_run(Objective.final_bits, run, 504_000) == pytest.approx(3.0)
    assert objective.of_run(Objective.final_bits, run, 502_000) == pytest.approx(6.0)
    assert objective.of_run(Objective.first_below_1, run, 504_000) == math.inf
