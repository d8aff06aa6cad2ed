"""Recorded runs are found, read as far as they go, and what is missing is named."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.errors import UsageError
from ntm_repro.evidence import rendering, runs, tables
from ntm_repro.evidence.run_settings import paired
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import provenance


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


def test_a_run_is_shared_as_long_as_its_files_stay_as_they_are(tmp_path):
    folder = record(tmp_path, "copy", "ntm", 1, [3.0, 2.0])
    first = runs.read(folder)
    assert runs.read(folder) is first
    assert first.evaluation is None
    assert [row["bits_per_sequence"] for row in first.rows] == [3.0, 2.0]
    (folder / "eval.json").write_text('{"checkpoint_sequences": 2000, "grid": []}')
    assert runs.read(folder).evaluation is not None
    shutil.rmtree(folder)
    assert runs.read(folder) is None
    record(tmp_path, "copy", "ntm", 1, [3.0, 2.0, 1.0])
    assert [row["bits_per_sequence"] for row in runs.read(folder).rows] == [3.0, 2.0, 1.0]


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


def test_only_evaluations_with_the_memory_of_training_are_the_papers(tmp_path):
    folder = record(tmp_path, "copy", "ntm", 1, [1.0], grid={20: 0.5})
    evaluation = json.loads((folder / "eval.json").read_text())
    evaluation["grid"] += [
        evaluation["grid"][0] | {"setting": 30, "locations": 128},
        evaluation["grid"][0] | {"bits": 77.0, "locations": 256},
    ]
    (folder / "eval.json").write_text(json.dumps(evaluation))
    run = runs.read(folder)
    assert run.trained_locations == 128
    assert [(entry["setting"], entry["bits"]) for entry in run.evaluation["grid"]] == [(20, 0.5), (30, 0.5)]
    row = next(row for row in tables.generalisation(paired(tmp_path)).rows if row["setting"] == "20")
    assert (row["seeds"], row["highest"]) == (1, 0.5)


def test_a_run_evaluated_with_another_memory_only_is_not_evaluated(tmp_path):
    folder = record(tmp_path, "copy", "ntm", 1, [1.0], grid={20: 0.5})
    evaluation = json.loads((folder / "eval.json").read_text())
    evaluation["grid"] = [entry | {"locations": 256} for entry in evaluation["grid"]]
    (folder / "eval.json").write_text(json.dumps(evaluation))
    assert runs.read(folder).evaluation is None


@pytest.mark.parametrize("name", ["summary.json", "metrics.csv", "eval.json", "beyond.json"])
@given(share=st.floats(0, 0.9))
def test_a_torn_record_is_named(name, share, tmp_path_factory):
    folder = record(tmp_path_factory.mktemp("runs"), "copy", "ntm", 1, [1.0] * 3, grid={20: 0.5}, beyond={200: 1.0})
    summary = json.loads((folder / "summary.json").read_text())
    summary["config"]["train"]["log_every"] = 1_000
    (folder / "summary.json").write_text(json.dumps(summary))
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UsageError, match=rf"^{path}: [^\n]+$"):
        tables.every(folder.parents[2])


def test_half_a_row_behind_the_summarys_end_is_no_damage(tmp_path):
    folder = record(tmp_path, "copy", "ntm", 1, [1.0] * 2)
    with (folder / "metrics.csv").open("a") as file:
        file.write("3000,1.")
    assert len(runs.read(folder).rows) == 2


@pytest.mark.parametrize("key", ["task", "model", "seed", "sequences", "status", "config"])
def test_a_summary_without_what_makes_it_a_run_is_named(key, tmp_path):
    folder = record(tmp_path, "copy", "ntm", 1, [1.0])
    summary = json.loads((folder / "summary.json").read_text())
    for content in (summary | {key: []}, {name: value for name, value in summary.items() if name != key}):
        (folder / "summary.json").write_text(json.dumps(content))
        with pytest.raises(UsageError, match=rf"summary\.json: damaged, {key} "):
            runs.read(folder)


@pytest.mark.parametrize("value", ["missing", None])
def test_a_record_may_lack_all_else(value, tmp_path):
    """Runs without git have no commit; older ones none of the newer keys."""
    folder = record(tmp_path, "copy", "ntm", 1, [1.0] * 3, grid={20: 0.5}, beyond={200: 1.0})
    summary = json.loads((folder / "summary.json").read_text())
    more = {key for key in summary if key not in runs.NEEDED} | {"cpu", "versions", "device", "final_bits"}
    kept = {key: content for key, content in summary.items() if key not in more}
    (folder / "summary.json").write_text(json.dumps(kept if value == "missing" else kept | dict.fromkeys(more)))
    for table in tables.every(tmp_path):
        assert rendering.as_markdown(table)
        assert rendering.as_csv(table)
    (row,) = [row for row in tables.times(paired(tmp_path)).rows if row["task"] == "copy"]
    assert (row["commit"], row["threads"], row["wall hours"]) == (rendering.MISSING, None, None)
    behind = provenance.behind(RunStore(tmp_path, None), paper.FIGURES["fig03"])
    assert [(one.commits, one.hours) for one in behind if one.seeds] == [(rendering.MISSING, 0)]
