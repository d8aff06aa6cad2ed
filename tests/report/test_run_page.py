"""A page for one run of the user's."""

import json
import re

import pytest
from support.plugged_in import OWN_MODEL, Parity, installed
from support.recorded_runs import rows
from support.untrained import build, record

from ntm_repro.errors import UsageError
from ntm_repro.report import run_page
from ntm_repro.training import metrics


def load(folder):
    return build(folder.parts[-3], folder.parts[-2])


def embedded(text):
    """The recordings of a page."""
    (found,) = re.findall(r'<script type="application/json" class="recordings">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_it_says_how_far_the_run_came_and_plays_it(tmp_path):
    folder = record(tmp_path, "copy", "ntm", 4, planned=5_000)
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows([0.123456] * 2))
    text = run_page.page(folder, load)
    assert "<title>Copy, NTM, LSTM controller, seed 4</title>" in text
    cost = "mean of all 2,000 sequences 0.1235 bits (shorter than the window of 10,000)"
    assert f"seed 4: 2,000 of 5,000 sequences, {cost}. From" in text
    assert '"copy-ntm-20"' in text


def test_a_run_too_short_for_a_cost(tmp_path):
    folder = record(tmp_path, "copy", "ntm_ff")
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, [])
    assert "2,000 sequences, shorter than train.log_every, no bits/sequence. From" in run_page.page(folder, load)


def test_it_plays_the_longest_condition_of_training_and_the_tasks_examples(tmp_path):
    folder = record(tmp_path, "associative_recall", "ntm")
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, [])
    text = run_page.page(folder, load)
    assert [one["extent"] for one in embedded(text)] == ["6 items", "3 items", "20 items"]


def test_a_task_and_an_ntm_of_ones_own(tmp_path):
    folder = record(tmp_path, "parity", "own_ntm")
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, [])
    with installed({"parity": Parity}, {"own_ntm": OWN_MODEL}):
        text = run_page.page(folder, load)
    assert "<title>Parity, own_ntm, seed 1</title>" in text
    (found,) = embedded(text)
    assert (found["id"], found["extent"], found["longer"], found["graded"]) == ("parity-own_ntm-4", "4", False, True)
    assert found["phases"][-1] == "answer: step 4"


def test_a_model_without_memory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="model=lstm has no memory to view"):
        run_page.page(record(tmp_path, "copy", "lstm"), load)


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no readable summary\.json"):
        run_page.page(tmp_path / "nothing", load)
