"""The numbers of figures that test trained models on sequences longer than those of training (4, 5, 8, 11, 16)."""

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ntm_repro import paper
from ntm_repro.evidence.runs import Run
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.verdicts import Measure, Verdict, meeting, more_bits, of_cost, of_share

Entry = dict[str, Any]  # of eval.json's grid
ALL_RIGHT = 0.95  # share of sequences without a wrong bit that passes for "perfect"


def copy_by_ntm(sources: RunStore) -> list[Measure]:
    """Figure 4: perfect up to 50; the paper's makes errors at 120."""
    entries = _entries(sources, "copy", "ntm")
    rows = [_perfect(entries, length, f"length {length}: sequences all right", "all") for length in (10, 20, 30, 50)]
    at_120 = _perfect(entries, 120, "length 120: sequences all right", "some errors")
    if at_120.verdict is Verdict.met:
        at_120 = at_120._replace(verdict=Verdict.better)
    return [*rows, at_120]


def copy_by_lstm(sources: RunStore) -> list[Measure]:
    """Figure 5: right up to the lengths of training, wrong beyond."""
    entries = _entries(sources, "copy", "lstm")
    return [
        _wrong(entries, 20, 160, "almost none", lambda share: share <= 0.05),
        _wrong(entries, 30, 240, "many", lambda share: share >= 0.05),
        _wrong(entries, 120, 960, "nearly a coin's", lambda share: share >= 0.25),
    ]


def repeat_copy(sources: RunStore) -> list[Measure]:
    """Figure 8: the NTM does twice the length; at twice the repeats it loses count; the LSTM does neither."""
    ntm, lstm = (_entries(sources, "repeat_copy", model) for model in ("ntm", "lstm"))
    longer, oftener = [20, 10], [10, 20]
    return [
        _perfect(ntm, longer, "NTM-LSTM, length 20, 10 repeats: sequences all right", "all"),
        _failing(ntm, oftener, "NTM-LSTM, length 10, 20 repeats: sequences all right", "none: loses count"),
        _failing(lstm, longer, "LSTM, length 20, 10 repeats: sequences all right", "none"),
        _failing(lstm, oftener, "LSTM, length 10, 20 repeats: sequences all right", "none"),
    ]


def recall(sources: RunStore) -> list[Measure]:
    """Figure 11: bits over the number of items."""
    measures = []
    for model in paper.MODELS:
        entries = _entries(sources, "associative_recall", model)
        for items, printed in paper.curve(11, model):
            what = f"{paper.MODELS[model]}, {items:.0f} items: bits"
            seen = _values(entries, items, "bits")
            judge, more = partial(of_cost, paper=printed), partial(more_bits, paper=printed)
            measures.append(_measure(what, f"{printed:.2f}", seen, "{:.2f}", judge, more))
    return measures


def sort_example(sources: RunStore) -> list[Measure]:
    """Figure 16 shows one sequence; how the model does on many of its kind."""
    seen = _values(_entries(sources, "priority_sort", "ntm"), [20, 16], "wrong_bits")
    what = "NTM-LSTM, 20 vectors: wrong bits of 128"
    return [_measure(what, "not said", seen, "{:.1f}", lambda _: Verdict.partial)]


def _entries(sources: RunStore, task: str, model: str) -> list[Entry]:
    """All entries of the evaluations of a pair's seeds."""
    return [entry for run in sources.runs(task, model) for entry in _grid(run)]


def _grid(run: Run) -> list[Entry]:
    return run.evaluation["grid"] if run.evaluation else []


def _perfect(entries: Sequence[Entry], condition: Any, what: str, printed: str) -> Measure:
    """The share of sequences without a wrong bit, of the median seed."""
    judge, seen = partial(of_share, least=ALL_RIGHT), _values(entries, condition, "perfect")
    return _measure(
        what, printed, seen, "{:.0%}", judge, lambda share: f"{ALL_RIGHT - share:.0%} short of {ALL_RIGHT:.0%}"
    )


def _failing(entries: Sequence[Entry], condition: Any, what: str, printed: str) -> Measure:
    """The same where the paper's model fails: doing it is better than the paper."""
    measure = _perfect(entries, condition, what, printed)
    verdicts = {Verdict.met: Verdict.better, Verdict.not_met: Verdict.met}
    return measure._replace(verdict=verdicts.get(measure.verdict, measure.verdict), by="", meeting=None)


def _wrong(
    entries: Sequence[Entry], condition: int, bits: int, printed: str, passes: Callable[[float], bool]
) -> Measure:
    def judge(wrong: float) -> Verdict:
        return Verdict.met if passes(wrong / bits) else Verdict.not_met

    what = f"length {condition}: wrong bits of {bits}"
    return _measure(what, printed, _values(entries, condition, "wrong_bits"), "{:.1f}", judge)


def _values(entries: Sequence[Entry], condition: Any, name: str) -> list[float]:
    """What each seed's evaluation says of a condition."""
    return [entry[name] for entry in entries if entry["setting"] == condition]


def _measure(
    what: str,
    printed: str,
    seen: Sequence[float],
    form: str,
    judge: Callable[[float], Verdict],
    worse: Callable[[float], str] = lambda _: "",
) -> Measure:
    """The median of the seeds beside what the paper tells, judged; partial where no seed was evaluated.

    worse: how far a number that is not met is from the paper's, in words.
    """
    if not seen:
        return Measure(what, printed, "–", Verdict.partial, "not evaluated")
    middle = statistics.median(seen)
    spread = f"{form.format(min(seen))} to {form.format(max(seen))}"
    note = f"median of {len(seen)} seeds, {spread}" if len(seen) > 1 else "1 seed"
    verdict, each = judge(middle), [judge(value) for value in seen]
    by = worse(middle) if verdict is Verdict.not_met else ""
    shares = None if Verdict.partial in each else meeting(each)
    return Measure(what, printed, form.format(middle), verdict, note, by, shares)
