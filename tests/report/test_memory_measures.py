"""Numbers of traces: from heads made up to do what the paper's do, or not. T: steps, N: locations."""

import numpy as np
import pytest
from support.untrained import sources

from ntm_repro import paper
from ntm_repro.evaluation.traces import Heads, Traced
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.report import memory_measures
from ntm_repro.report.verdicts import Verdict
from ntm_repro.tasks.associative_recall import AssociativeRecall
from ntm_repro.tasks.copy import Copy
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams
from ntm_repro.tasks.priority_sort import PRIORITY, PrioritySort
from ntm_repro.tasks.repeat_copy import RepeatCopy

LOCATIONS = 130


def made_up(task, condition, write_T, read_T, sharpness=1.0):
    """A trace in which the one write and the one read head are at these locations with a weight of `sharpness`."""
    batch = task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, condition)
    weightings = []
    for location_T in (read_T, write_T):
        weighting_TN = np.full((len(location_T), LOCATIONS), (1 - sharpness) / (LOCATIONS - 1))
        weighting_TN[np.arange(len(location_T)), location_T] = sharpness
        weightings.append(weighting_TN[:, None])
    nothing = np.zeros((len(write_T), 1, 1))
    traced_heads = Heads(*weightings, *[nothing] * 9)
    return Traced(batch, np.full(batch.target_TBO[:, 0].shape, 0.5), traced_heads)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """A function that gives the measures of a figure for a made-up trace."""

    evidence = sources(tmp_path, *((task, "ntm") for task in paper.TASKS))

    def judge(measures, traced):
        monkeypatch.setattr(memory_measures, "trace", lambda *_: traced)
        return [(measure.ours, measure.verdict) for measure in measures(evidence)]

    return judge


def steps(*runs):
    return np.concatenate([np.asarray(run) for run in runs]) % LOCATIONS


def test_copy_read_where_it_was_written(judged):
    shown, answering = np.arange(3, 23), np.arange(3, 23)
    traced = made_up(Copy(), 20, steps([0], shown, [0], [0] * 20), steps([0] * 22, answering), sharpness=0.99)
    assert judged(memory_measures.copy, traced) == [
        ("0.990", Verdict.met),
        ("0.990", Verdict.met),
        ("1.000", Verdict.met),
    ]


def test_writing_a_step_late_is_no_fault(judged):
    places = np.arange(3, 23)
    traced = made_up(Copy(), 20, steps([0, 0], places, [0] * 20), steps([0] * 22, places))
    assert judged(memory_measures.copy, traced)[2] == ("1.000", Verdict.met)


def test_copy_read_elsewhere_and_blurred(judged):
    shown, answering = np.arange(3, 23), np.r_[np.arange(3, 13), np.arange(60, 70)]
    traced = made_up(Copy(), 20, steps([0], shown, [0], [0] * 20), steps([0] * 22, answering), sharpness=0.9)
    expected = [("0.900", Verdict.not_met), ("0.900", Verdict.not_met), ("0.500", Verdict.not_met)]
    assert judged(memory_measures.copy, traced) == expected


@pytest.mark.parametrize(("back", "share"), [(True, "1.000"), (False, "0.143")])
def test_repeat_copy_goes_round(judged, back, share):
    shown, rounds = np.arange(5, 15), np.tile(np.arange(5, 15), 7) if back else np.arange(5, 75)
    write_T = steps([0], shown, [0], [0] * 71)
    traced = made_up(RepeatCopy(), (10, 7), write_T, steps([0] * 12, rounds, [0]))
    verdict = Verdict.met if back else Verdict.not_met
    assert judged(memory_measures.repeat_copy, traced) == [(share, verdict)] * 2


def test_recall_reads_what_was_written_with_the_item_asked_for(judged):
    task = AssociativeRecall()
    input_TI = task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, 6).input_TBI[:, 0]
    query_I = input_TI[25:28, :6]
    asked = next(item for item in range(6) if (input_TI[4 * item + 1 : 4 * item + 4, :6] == query_I).all())
    write_T = steps(range(24), [129] * 8)
    answer_at = 4 * (asked + 1) + np.arange(1, 4)  # where the vectors of the next item were written
    traced = made_up(task, 6, write_T, steps([0] * 29, answer_at))
    assert judged(memory_measures.recall, traced) == [("1.000", Verdict.met)]
    beside = answer_at + np.array([0, 0, 4])  # the last one is of the item after that, or was written by none
    assert judged(memory_measures.recall, made_up(task, 6, write_T, steps([0] * 29, beside))) == [
        ("0.667", Verdict.not_met)
    ]


def test_a_location_for_each_context(judged):
    task = DynamicNGrams()
    bit_T = task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, 200).target_TBO[:, 0, 0].astype(int)
    code_T = [int("".join(map(str, bit_T[step - 5 : step])), 2) if step >= 5 else 99 for step in range(200)]
    places = judged(memory_measures.ngram_memory, made_up(task, 200, np.array(code_T), np.arange(200) % 97))
    assert places == [("0.00, 0.01", Verdict.not_met), ("1.00, 0.00", Verdict.met)]


def test_locations_linear_in_the_priority(judged):
    task = PrioritySort()
    priority_V = task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, (20, 16)).input_TBI[:20, 0, PRIORITY]
    rest = [0] * 17
    linear = made_up(task, (20, 16), steps(np.rint(60 - 50 * priority_V).astype(int), rest), np.zeros(37, int))
    ((share, verdict),) = judged(memory_measures.sort, linear)
    assert float(share) > 0.99
    assert verdict is Verdict.met


def test_ngram_predictions_are_compared_with_the_optimum(judged):
    # An estimator that always says one half is as far from the optimum as that is from one half, on average.
    traced = made_up(DynamicNGrams(), 200, np.zeros(200, int), np.zeros(200, int))
    (ntm, lstm) = judged(memory_measures.ngram_predictions, traced)
    assert 0.15 < float(ntm[0]) < 0.45
    assert ntm[1] is Verdict.not_met
    assert lstm == ("–", Verdict.partial)


@pytest.mark.parametrize("name", ["copy", "repeat_copy", "recall", "ngram_predictions", "ngram_memory", "sort"])
def test_without_weights_all_is_partial(name, tmp_path):
    assert {measure.verdict for measure in getattr(memory_measures, name)(sources(tmp_path))} == {Verdict.partial}
