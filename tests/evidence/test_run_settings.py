"""What runs did otherwise than the paper, in words, and what was chosen where it is silent."""

import json

import pytest
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.cli import compose, schema
from ntm_repro.evidence import choices, run_settings
from ntm_repro.evidence.run_settings import Pair
from ntm_repro.evidence.runs import read as read_run


def run_with(tmp_path, task, model, seed=1, **settings):
    """A run as the paper has it but for these settings, `section__name=value`."""
    folder = record(tmp_path, task, model, seed, [1.0], planned=500_000 if task == "repeat_copy" else 1_000_000)
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    for key, value in settings.items():
        *parents, name = key.split("__")
        node = summary["config"]
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    path.write_text(json.dumps(summary))
    return read_run(folder)


FALLING = {"train__anneal_from": 300_000, "train__anneal_to": 1_000_000}


@pytest.fixture
def pairs(tmp_path):
    """Two tasks with three models each."""
    both = {"model__read_order": "before"}
    return [
        Pair("copy", "ntm", [run_with(tmp_path, "copy", "ntm", model__read_order="after", **FALLING)]),
        Pair(
            "copy",
            "ntm_ff",
            [
                run_with(tmp_path, "copy", "ntm_ff", 1, model__shift_range=5, **both),
                run_with(tmp_path, "copy", "ntm_ff", 2, model__shift_range=3, train__learning_rate=1e-5, **both),
            ],
        ),
        Pair("copy", "lstm", [run_with(tmp_path, "copy", "lstm")]),
        Pair("repeat_copy", "ntm", [run_with(tmp_path, "repeat_copy", "ntm", model__read_order="after")]),
        Pair("repeat_copy", "ntm_ff", [run_with(tmp_path, "repeat_copy", "ntm_ff", **both)]),
        Pair("repeat_copy", "lstm", []),
    ]


def here(pairs, point):
    (row,) = (row for row in choices.table(pairs).rows if row["point"] == point)
    return row["here"]


FALLS = "learning rate falls linearly from 300,000 sequences to zero at 1,000,000"


def test_departures_name_what_pairs_and_seeds(pairs):
    assert run_settings.departures(pairs) == [
        f"{FALLS}: copy NTM-LSTM",
        "learning rate 1e-05 instead of 0.0001: copy NTM-FF (seed 2)",
    ]
    assert run_settings.departures(pairs[3:]) == []


def test_pairs_that_depart_alike_are_named_together(tmp_path):
    pairs = [Pair(task, "ntm", [run_with(tmp_path, task, "ntm", **FALLING)]) for task in ("copy", "associative_recall")]
    assert run_settings.departures(pairs) == [f"{FALLS}: copy NTM-LSTM, associative recall NTM-LSTM"]


def test_any_other_setting_that_the_paper_states_is_named_by_its_key(tmp_path):
    run = run_with(tmp_path, "copy", "ntm", model__controller__size=80)
    found = run_settings.departures([Pair("copy", "ntm", [run])])
    assert found == ["model.controller.size 80 instead of 100: copy NTM-LSTM"]


def test_how_it_was_trained_in_a_sentence_or_two(pairs):
    assert run_settings.lead(pairs[:1] + pairs[4:]) == (
        f"Trained at the paper's sizes, learning rates and lengths. Exceptions: {FALLS}: copy NTM-LSTM. Not trained to "
        "the end: copy NTM-LSTM (seed 1: 1,000 of 1,000,000 sequences), repeat copy NTM-FF (seed 1: 1,000 of 500,000 "
        "sequences), repeat copy LSTM (no run)."
    )
    assert "(seed 1: 1,000 of 1,000,000 sequences; seed 2: 1,000 of" in run_settings.lead(pairs[1:2])
    assert run_settings.lead([]) == "Trained at the paper's sizes, learning rates and lengths."


def test_settings_that_differ_between_seeds(pairs):
    assert run_settings.mixed(pairs[0]) is None
    assert run_settings.mixed(pairs[1]) == (
        "`train.learning_rate` 0.0001 (seed 1), 1e-05 (seed 2); `model.shift_range` 5 (seed 1), 3 (seed 2)"
    )


def test_hidden_biases_of_a_run_older_than_their_key_were_zero(pairs):
    assert [run_settings.leaf(pair.runs[0], "model.hidden_bias") for pair in pairs[:3]] == [None, 0.0, None]


def test_a_choice_is_what_most_do_and_then_what_others_do(pairs):
    assert here(pairs, "Learning rate") == "the paper's; 1e-05 instead of 0.0001: copy NTM-FF (seed 2)"
    falling = "falls linearly from 300,000 sequences to zero at 1,000,000"
    assert here(pairs, "Course of the learning rate") == f"constant; {falling}: copy NTM-LSTM"
    assert here(pairs, "Read before or after the write") == "after it; before it: NTM-FF"
    assert here(pairs, "Shifts allowed") == "−2 to +2; −1, 0, +1: copy NTM-FF (seed 2)"


def test_a_model_without_the_setting_is_not_asked(pairs):
    lstm = [pair for pair in pairs if pair.model == "lstm"]
    assert here(lstm, "Read before or after the write") == "no run"
    assert here(lstm, "Sequences per update") == "one"


def test_what_all_models_of_a_task_do_is_said_of_the_task(tmp_path):
    pairs = [
        Pair(task, model, [run_with(tmp_path, task, model, train__loss_scale=0.1 if task == "copy" else 1.0)])
        for task in ("copy", "repeat_copy", "priority_sort")
        for model in paper.MODELS
    ]
    assert here(pairs, "Loss") == "the sum of a sequence's bits, not their mean; 0.1 times that sum: copy"


def test_every_setting_of_the_table_is_one_of_the_config():
    compose.register()
    keys = set()
    for model in paper.MODELS:
        (job,), _ = compose.jobs([f"model={model}"])
        keys |= set(schema.leaves(schema.plain(job)))
    for choice in choices.CHOICES:
        assert not choice.keys or set(choice.keys.split(", ")) <= keys
        assert callable(choice.here) == bool(choice.keys)


@pytest.mark.parametrize("task", paper.TASKS)
@pytest.mark.parametrize("model", paper.MODELS)
def test_the_committed_runs_have_the_settings_of_the_configs(task, model, evidence):
    """So that the table, which is read off the runs, says what a new run does as well."""
    compose.register()
    (job,), _ = compose.jobs([f"task={task}", f"model={model}"])
    ours = schema.leaves(schema.plain(job))
    keys = [key for choice in choices.CHOICES if choice.keys for key in choice.keys.split(", ") if key in ours]
    recorded = [{key: run_settings.leaf(run, key) for key in keys} for run in evidence(task, model)]
    assert {key: ours[key] for key in keys} in recorded
