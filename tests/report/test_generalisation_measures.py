"""Numbers of evaluations on longer sequences, from small recorded runs."""

import json

import pytest
from support.recorded_runs import record

from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import generalisation_measures
from ntm_repro.report.verdicts import Verdict


def evaluated(root, task, model, seed, **entries):
    """A run whose evaluation holds for each setting what is given, {name: (setting, perfect, wrong bits, bits)}."""
    folder = record(root, task, model, seed, [1.0] * 10)
    names = ("setting", "perfect", "wrong_bits", "bits")
    more = {"sequences": 100, "optimum_bits": None}
    grid = [dict(zip(names, values, strict=True)) | more for values in entries.values()]
    (folder / "eval.json").write_text(json.dumps({"checkpoint_sequences": 10_000, "grid": grid}))


def verdicts(measures):
    return [measure.verdict for measure in measures]


def test_perfect_copies_at_120_are_better_than_the_papers(tmp_path):
    lengths = {f"at{length}": (length, 1.0, 0.0, 0.0) for length in (10, 20, 30, 50)}
    evaluated(tmp_path, "copy", "ntm", 1, **lengths, long=(120, 0.96, 1.0, 3.0))
    evaluated(tmp_path, "copy", "ntm", 2, **lengths, long=(120, 0.2, 9.0, 30.0))
    evaluated(tmp_path, "copy", "ntm", 3, **lengths, long=(120, 1.0, 0.0, 0.0))
    found = generalisation_measures.copy_by_ntm(RunStore(tmp_path, None))
    assert verdicts(found) == [Verdict.met] * 4 + [Verdict.better]
    assert (found[-1].ours, found[-1].note) == ("96%", "median of 3 seeds, 20% to 100%")


def test_an_lstm_is_to_fail_beyond_its_training(tmp_path):
    evaluated(tmp_path, "copy", "lstm", 1, a=(20, 0.9, 0.2, 0.5), b=(30, 0.0, 60.0, 99.0), c=(120, 0.0, 100.0, 500.0))
    found = generalisation_measures.copy_by_lstm(RunStore(tmp_path, None))
    assert verdicts(found) == [Verdict.met, Verdict.met, Verdict.not_met]


def test_counting_on_is_better_than_the_paper(tmp_path):
    evaluated(tmp_path, "repeat_copy", "ntm", 1, a=([20, 10], 1.0, 0.0, 0.0), b=([10, 20], 0.97, 1.0, 2.0))
    evaluated(tmp_path, "repeat_copy", "lstm", 1, a=([20, 10], 0.0, 300.0, 0.0), b=([10, 20], 0.0, 300.0, 2.0))
    found = generalisation_measures.repeat_copy(RunStore(tmp_path, None))
    assert verdicts(found) == [Verdict.met, Verdict.better, Verdict.met, Verdict.met]


def test_recall_is_compared_item_by_item(tmp_path):
    evaluated(tmp_path, "associative_recall", "ntm", 1, a=(6, 1.0, 0.0, 0.0), b=(20, 0.1, 5.0, 8.0))
    found = {measure.what: measure for measure in generalisation_measures.recall(RunStore(tmp_path, None))}
    assert len(found) == 12
    assert found["NTM-LSTM, 6 items: bits"].verdict is Verdict.better
    assert found["NTM-LSTM, 20 items: bits"][1:4] == ("6.99", "8.00", Verdict.not_met)
    assert found["NTM-LSTM, 10 items: bits"].verdict is Verdict.partial


@pytest.mark.parametrize("name", ["copy_by_ntm", "copy_by_lstm", "repeat_copy", "recall", "sort_example"])
def test_without_evaluations_all_is_partial(name, tmp_path):
    found = getattr(generalisation_measures, name)(RunStore(tmp_path, None))
    assert set(verdicts(found)) == {Verdict.partial}
