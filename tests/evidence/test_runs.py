"""Recorded runs are found, read as far as they go, and what is missing is named."""

from support.recorded_runs import record

from ntm_repro.evidence import runs


def test_runs_of_a_pair_by_seed_and_nothing_else(tmp_path):
    for seed in (10, 2):
        record(tmp_path, "copy", "ntm", seed, [1.0])
    record(tmp_path, "copy", "lstm", 1, [1.0])
    record(tmp_path, "copy", "ntm", "3-learning_rate-0.001", [1.0])
    (tmp_path / "copy/ntm/seed4").mkdir()
    found = runs.find(tmp_path, "copy", "ntm")
    assert [(run.task, run.model, run.seed) for run in found] == [("copy", "ntm", 2), ("copy", "ntm", 10)]
    assert runs.find(tmp_path, "priority_sort", "ntm") == []


def test_rows_end_where_the_summary_ends(tmp_path):
    run = runs.read(record(tmp_path, "copy", "ntm", 1, [3.0, 2.0, 1.0], sequences=2_000))
    assert [row["bits_per_sequence"] for row in run.rows] == [3.0, 2.0]


def test_the_representative_is_the_run_with_weights(tmp_path):
    folders = [record(tmp_path, "copy", "ntm", seed, [1.0]) for seed in (1, 2)]
    assert runs.representative(runs.find(tmp_path, "copy", "ntm")) is None
    (folders[1] / "weights.safetensors").touch()
    assert runs.representative(runs.find(tmp_path, "copy", "ntm")).seed == 2


def test_gaps_name_what_makes_them(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [1.0])
    record(tmp_path, "copy", "ntm", 2, [1.0], planned=1_000_000)
    record(tmp_path, "copy", "ntm", 3, [1.0] * 2, planned=1_000_000, status="diverged")
    assert runs.gaps("copy", "ntm", runs.find(tmp_path, "copy", "ntm")) == [
        "seed 2: 1,000 of 1,000,000 sequences so far: make reproduce TASKS=copy MODELS=ntm SEEDS=2",
        "seed 3 diverged after 2,000 sequences",
    ]
    assert runs.gaps("copy", "lstm", []) == ["not run yet: make reproduce TASKS=copy MODELS=lstm"]


def test_an_evaluation_is_there_or_not(tmp_path):
    assert runs.read(record(tmp_path, "copy", "ntm", 1, [1.0])).evaluation is None
    run = runs.read(record(tmp_path, "copy", "ntm", 2, [1.0], grid={20: 0.5}))
    assert [entry["bits"] for entry in run.evaluation["grid"]] == [0.5]
