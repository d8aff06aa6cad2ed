"""Recordings hold the numbers of a trace, and go into JSON. O: output channels, T: steps."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.packed import bound
from support.untrained import CONDITIONS, record, sources

from ntm_repro import tasks
from ntm_repro.cli import load_run as recorded_runs
from ntm_repro.errors import UsageError
from ntm_repro.evaluation.stages import stages
from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import recordings
from ntm_repro.report.packing import unpack
from ntm_repro.tasks.dynamic_ngrams import optimal_predictions


@pytest.fixture(scope="module", params=CONDITIONS)
def recorded(request, tmp_path_factory):
    """The task, what was recorded of it as JSON brings it, the trace, and its stages."""
    task = request.param
    evidence = sources(tmp_path_factory.mktemp("evidence"), (task, "ntm"), heads=2)
    trained = evidence.trained(task, "ntm")
    found = json.loads(json.dumps(recordings.record(trained, CONDITIONS[task])))
    traced = trace(trained.task, trained.kernel, CONDITIONS[task], 1)
    return task, found, traced, stages(trained.kernel.model, traced.heads)


def test_arrays_are_those_of_the_trace(recorded):
    task, found, traced, of_heads = recorded
    count = {"copy": 8}.get(task)  # its ninth output is never scored
    expected = {
        "target": traced.batch.target_TBO[:, 0, :count],
        "weighting": of_heads.weighting_UKN,
        "content": of_heads.content_TKN,
        "gated": of_heads.gated_TKN,
        "shifted": of_heads.shifted_TKN,
        "memory": of_heads.memory_UNM,
        "key": traced.heads.key_TKM,
        "erase": traced.heads.erase_TWM,
        "add": traced.heads.add_TWM,
        "read": traced.heads.read_TRM,
    }
    for name, values in expected.items():
        packed = found["arrays"][name]
        assert (np.abs(unpack(packed) - values) <= bound(values, packed)).all(), name


def test_printed_numbers_are_exact(recorded):
    _, found, traced, of_heads = recorded
    exact = {name: unpack(found["arrays"][name]) for name in ("input", "strength", "gate", "shift", "sharpness")}
    np.testing.assert_array_equal(exact["input"], traced.batch.input_TBI[:, 0])
    for name in ("strength", "gate", "shift", "sharpness"):
        values = next(array for field, array in traced.heads._asdict().items() if field.startswith(f"{name}_"))
        np.testing.assert_array_equal(exact[name], values)
    output_TO = unpack(found["arrays"]["output"])
    np.testing.assert_array_equal(output_TO[:, 0], traced.output_TO[:, 0])
    largest, places = (unpack(found["arrays"][name]) for name in ("largest", "largest_at"))
    rows = (of_heads.weighting_UKN[:-1], of_heads.content_TKN, of_heads.gated_TKN, of_heads.shifted_TKN)
    for stage, weighting_TKN in enumerate((*rows, of_heads.weighting_UKN[1:])):
        np.testing.assert_array_equal(largest[..., stage], weighting_TKN.max(-1))
        np.testing.assert_array_equal(places[..., stage], weighting_TKN.argmax(-1))


def test_wrong_bits_are_those_of_the_answer(recorded):
    task, found, traced, _ = recorded
    wrong_TO, scored_TO = (unpack(found["arrays"][name]) for name in ("wrong", "scored"))
    if task == "dynamic_ngrams":
        assert not found["graded"]
        assert not wrong_TO.any()
        optimum_T = optimal_predictions(traced.batch.target_TBO[:, :, 0], 5)[:, 0]
        np.testing.assert_allclose(unpack(found["arrays"]["output"])[:, 1], optimum_T, rtol=1e-6)
    else:
        assert found["graded"]
        assert wrong_TO.sum() == answer(traced).wrong_AC.sum() > 0
        assert (wrong_TO <= scored_TO).all()


def test_it_says_what_it_is(recorded):
    task, found, traced, _ = recorded
    assert found["task"] == tasks.find(task)().label
    assert not found["longer"]
    assert "seed 1" in found["provenance"]
    assert len(found["phases"]) == len(traced.output_TO)
    for name, groups in (("input", "inputs"), ("target", "targets"), ("output", "outputs")):
        assert found["arrays"][name]["shape"][1] == sum(count for _, count in found[groups])


def test_evidence_gives_every_scene_of_every_pair_with_weights(tmp_path):
    evidence = sources(tmp_path, ("copy", "ntm"), ("copy", "lstm"), ("priority_sort", "ntm_ff"))
    record(tmp_path, "copy", "ntm_ff", weights=False, planned=5_000)
    found = recordings.all_recordings(evidence)
    assert [one["id"] for one in found] == ["copy-ntm-5", "copy-ntm-20", "copy-ntm-120", "priority_sort-ntm_ff-20-16"]
    assert [one["longer"] for one in found] == [False, False, True, False]
    gaps = recordings.all_gaps(evidence)
    assert len(gaps) == 10 - 2
    assert gaps[0].startswith("copy, NTM, feedforward controller: seed 1: 2,000 of 5,000 sequences so far: make ")
    assert gaps[-1].endswith("make reproduce TASKS=priority_sort MODELS=ntm")


def test_the_longest_of_training_comes_first_and_each_condition_once():
    assert recordings.own_conditions(tasks.find("associative_recall")(max_items=4)) == [4, 3, 6, 20]
    assert recordings.own_conditions(tasks.find("copy")()) == [20, 5, 120]


def test_a_model_without_memory_is_refused(tmp_path):
    trained = sources(tmp_path, ("copy", "lstm")).trained("copy", "lstm")
    with pytest.raises(UsageError, match="model=lstm has no memory to view; name a run of model=ntm"):
        recordings.record(trained, 3)


@pytest.mark.slow
def test_the_evidence_fits_into_a_page():
    def load_eager(folder):
        run = recorded_runs.load(folder, recorded_runs.read_config(folder), kernel="eager")
        return run.task, run.kernel

    evidence = RunStore(Path(__file__).resolve().parents[2] / "results/paper", load_eager)
    found = recordings.all_recordings(evidence)
    assert len(json.dumps(found)) < 3e6
    assert len({one["id"] for one in found}) == len(found) > 0
