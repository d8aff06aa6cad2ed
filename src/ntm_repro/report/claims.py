"""What the paper says with each of its figures, in one sentence, and the numbers by which it is judged here."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from ntm_repro.evidence.runs import MODELS
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import curve_measures, generalisation_measures, memory_measures
from ntm_repro.report.verdicts import Measure


class Claim(NamedTuple):
    """`says`: the paper's claim. `models`: those of `task` that the figure rests on."""

    title: str
    says: str
    task: str
    models: Sequence[str]
    measures: Callable[[RunStore], list[Measure]]


def _curve(title: str, says: str, task: str) -> Claim:
    return Claim(title, says, task, MODELS, partial(curve_measures.measures, task=task))


NTM = ("ntm",)
CLAIMS = {
    "fig03": _curve(
        "Copy: learning curves",
        "NTMs learn to copy much faster than an LSTM does, and to a lower cost.",
        "copy",
    ),
    "fig04": Claim(
        "Copy: the NTM on longer sequences",
        "Trained on at most 20 vectors, the NTM copies 30 and 50 almost perfectly, and 120 with a few errors.",
        "copy",
        NTM,
        generalisation_measures.copy_by_ntm,
    ),
    "fig05": Claim(
        "Copy: the LSTM on longer sequences",
        "The LSTM copies what it was trained on, and degrades rapidly beyond 20 vectors.",
        "copy",
        ("lstm",),
        generalisation_measures.copy_by_lstm,
    ),
    "fig06": Claim(
        "Copy: use of the memory",
        "The NTM has learned an algorithm: write each vector to the next location, go back, read the same locations.",
        "copy",
        NTM,
        memory_measures.copy,
    ),
    "fig07": _curve(
        "Repeat copy: learning curves",
        "All models learn the task to near zero in the end, the NTMs much sooner than the LSTM.",
        "repeat_copy",
    ),
    "fig08": Claim(
        "Repeat copy: longer and more often",
        "The NTM copies twice the length; at twice the repeats it copies on but loses count; the LSTM does neither.",
        "repeat_copy",
        ("ntm", "lstm"),
        generalisation_measures.repeat_copy,
    ),
    "fig09": Claim(
        "Repeat copy: use of the memory",
        "The read head goes through the written locations once a repeat, and jumps back to the first after each.",
        "repeat_copy",
        NTM,
        memory_measures.repeat_copy,
    ),
    "fig10": _curve(
        "Associative recall: learning curves",
        "NTMs learn to recall far faster than the LSTM, and to nearly zero, which the LSTM does not reach.",
        "associative_recall",
    ),
    "fig11": Claim(
        "Associative recall: more items",
        "NTMs trained on at most 6 items are nearly perfect on 12 and go wrong slowly from there; the LSTM does not.",
        "associative_recall",
        MODELS,
        generalisation_measures.recall,
    ),
    "fig12": Claim(
        "Associative recall: use of the memory",
        "The NTM finds the queried item by content, and reads the item after it by a shift to the next location.",
        "associative_recall",
        NTM,
        memory_measures.recall,
    ),
    "fig13": _curve(
        "Dynamic N-grams: learning curves",
        "NTMs come a little, but significantly, closer to the optimal estimator than the LSTM.",
        "dynamic_ngrams",
    ),
    "fig14": Claim(
        "Dynamic N-grams: predictions",
        "On a sequence of 200 bits the models' predictions follow those of the optimal estimator.",
        "dynamic_ngrams",
        ("ntm", "lstm"),
        memory_measures.ngram_predictions,
    ),
    "fig15": Claim(
        "Dynamic N-grams: use of the memory",
        "The NTM keeps counts: the same location is read, and written anew, whenever the same context occurs.",
        "dynamic_ngrams",
        NTM,
        memory_measures.ngram_memory,
    ),
    "fig16": Claim(
        "Priority sort: an example",
        "Shown 20 vectors with priorities, the network is to give the 16 highest, in order.",
        "priority_sort",
        NTM,
        generalisation_measures.sort_example,
    ),
    "fig17": Claim(
        "Priority sort: use of the memory",
        "The NTM writes each vector to a location that is a linear function of its priority, and reads them in order.",
        "priority_sort",
        NTM,
        memory_measures.sort,
    ),
    "fig18": _curve(
        "Priority sort: learning curves",
        "NTMs sort far better than the LSTM; more heads are needed than for the other tasks.",
        "priority_sort",
    ),
}
