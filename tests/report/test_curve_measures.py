"""Numbers of learning curves, from small recorded runs."""

import pytest
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import curve_measures
from ntm_repro.report.verdicts import Verdict


def by_what(root, task):
    return {measure.what: measure for measure in curve_measures.measures(RunStore(root, None), task)}


def test_soon_and_last_of_finished_seeds(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [8.0] * 5 + [0.01] * 65)
    record(tmp_path, "copy", "ntm", 2, [8.0] * 50 + [0.02] * 20)
    record(tmp_path, "copy", "ntm", 3, [8.0] * 9 + [0.03] * 61)
    found = by_what(tmp_path, "copy")
    soon = found["NTM-LSTM: first below 0.05 bits, sequences"]
    # The mean of ten rows of a thousand is below 0.05 once the last row of 8 has left the window.
    assert (soon.paper, soon.ours, soon.verdict) == ("30,000", "19,000", Verdict.better)
    # The second seed is there after 60,000, the third after 19,000 (the first after 15,000).
    assert soon.note == "median of 3 seeds; 3 of 3 did; stays below from 19,000; 0 of 3 relapsed"
    last = found["NTM-LSTM: bits after 1,000,000 sequences"]
    assert (last.paper, last.ours, last.verdict) == ("0.00", "0.02", Verdict.met)
    assert last.note == "median of 3 seeds, 0.01 to 0.03"


def test_a_task_that_came_undone_is_said_to_have(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [8.0] * 5 + [0.0] * 20 + [30.0] * 2)
    soon = by_what(tmp_path, "copy")["NTM-LSTM: first below 0.05 bits, sequences"]
    assert (soon.ours, soon.note) == ("15,000", "seed 1; 1 of 1 did; does not stay below; 1 of 1 relapsed")


def test_seeds_of_different_settings_are_said_to_be(tmp_path):
    for seed in (1, 2):
        folder = record(tmp_path, "copy", "ntm", seed, [8.0] * 20)
    text = (folder / "summary.json").read_text()
    (folder / "summary.json").write_text(text.replace('"learning_rate": 0.0001', '"learning_rate": 0.001'))
    last = by_what(tmp_path, "copy")["NTM-LSTM: bits after 1,000,000 sequences"]
    assert last.note == "median of 2 seeds, 8.00 to 8.00; not all with the same settings"


def test_what_is_not_run_or_not_finished_is_partial(tmp_path):
    record(tmp_path, "priority_sort", "ntm", 1, [100.0] * 20 + [30.0] * 10, planned=1_000_000)
    found = by_what(tmp_path, "priority_sort")
    going = found["NTM-LSTM: bits after 1,000,000 sequences"]
    assert (going.ours, going.verdict) == ("30.00 so far", Verdict.partial)
    assert going.note == "seed 1: 30,000 of 1,000,000 sequences"
    none = found["LSTM: bits after 1,000,000 sequences"]
    assert (none.ours, none.verdict, none.note) == ("–", Verdict.partial, "not run")


def test_a_seed_that_may_still_get_there_leaves_it_open(tmp_path):
    record(tmp_path, "copy", "ntm_ff", 1, [8.0] * 30, planned=1_000_000)
    assert by_what(tmp_path, "copy")["NTM-FF: first below 0.05 bits, sequences"][2:4] == ("not yet", Verdict.partial)
    record(tmp_path, "copy", "ntm_ff", 2, [8.0] * 30)
    record(tmp_path, "copy", "lstm", 1, [8.0] * 30)
    found = by_what(tmp_path, "copy")
    assert found["NTM-FF: first below 0.05 bits, sequences"].verdict is Verdict.partial
    never = found["LSTM: first below 0.05 bits, sequences"]
    assert (never.paper, never.ours, never.verdict) == ("never", "never", Verdict.met)


def test_ngrams_end_with_a_hundred_thousand_sequences_above_the_optimum(tmp_path):
    what = "NTM-FF: bits above the optimum after 1,000,000 sequences"
    bits = [140.0] * 50 + [135.0] * 90 + [133.5] * 10
    record(tmp_path, "dynamic_ngrams", "ntm_ff", 1, bits, optimum=[133.0] * 150)
    last = by_what(tmp_path, "dynamic_ngrams")[what]
    # More than can be read off the curve, and less than two standard deviations of a mean over ten of its points.
    assert (last.paper, last.ours, last.verdict, last.by) == ("1.74", "1.85", Verdict.met, "")
    record(tmp_path / "worse", "dynamic_ngrams", "ntm_ff", 1, [140.0] * 50 + [135.2] * 100, optimum=[133.0] * 150)
    last = by_what(tmp_path / "worse", "dynamic_ngrams")[what]
    assert (last.ours, last.verdict, last.by) == ("2.20", Verdict.not_met, "0.46 bits more")


def test_the_share_of_seeds_that_meet_the_paper_stands_beside_the_median(tmp_path):
    for seed, cost in enumerate((0.0, 0.01, 0.9), start=1):
        record(tmp_path, "copy", "ntm", seed, [8.0] * 60 + [cost] * 20)
    found = by_what(tmp_path, "copy")
    last = found["NTM-LSTM: bits after 1,000,000 sequences"]
    assert (last.verdict, last.meeting, last.share) == (Verdict.met, (2, 3), "2 of 3 seeds")
    soon = found["NTM-LSTM: first below 0.05 bits, sequences"]
    assert (soon.verdict, soon.share) == (Verdict.not_met, "0 of 3 seeds")
    assert soon.by == "40,000 sequences later"


@pytest.mark.parametrize("task", paper.LEARNING_FIGURES)
def test_without_any_run_there_is_still_a_number_for_each_model(task, tmp_path):
    found = by_what(tmp_path, task).values()
    assert {measure.ours for measure in found} == {"–"}
    assert {measure.verdict for measure in found} == {Verdict.partial}
