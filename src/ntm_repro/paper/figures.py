"""The paper's figures: what each says, the runs that it rests on, and the code that draws and measures it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from ntm_repro.paper.curves import MODELS


class Code(NamedTuple):
    """A function of this package by its path below `ntm_repro`, and keywords to call it with.

    Named rather than imported: what draws and measures knows the paper, and brings matplotlib and torch.
    """

    path: str
    arguments: Mapping[str, Any] = {}

    def load(self) -> Callable[..., Any]:
        """The function with its keywords; it takes the `RunStore` of the evidence."""
        module, _, name = self.path.rpartition(".")
        return partial(getattr(import_module(f"ntm_repro.{module}"), name), **self.arguments)


class Figure(NamedTuple):
    """`says`: the paper's claim in one sentence. `models`: those of `task` that the figure rests on.

    `drawn_by` makes a matplotlib figure, `measured_by` a list of `report.verdicts.Measure`.
    """

    title: str
    says: str
    task: str
    models: Sequence[str]
    drawn_by: Code
    measured_by: Code


def _curve(title: str, says: str, task: str) -> Figure:
    keywords = {"task": task}
    drawn_by = Code("figures.learning_curves.draw", keywords)
    measured_by = Code("report.curve_measures.measures", keywords)
    return Figure(title, says, task, tuple(MODELS), drawn_by, measured_by)


NTM = ("ntm",)
# By the names that `ntm-figures` takes. Figures 1 and 2 are diagrams.
FIGURES = {
    "fig03": _curve(
        "Copy: learning curves",
        "NTMs learn to copy much faster than an LSTM does, and to a lower cost.",
        "copy",
    ),
    "fig04": Figure(
        "Copy: the NTM on longer sequences",
        "Trained on at most 20 vectors, the NTM copies 30 and 50 almost perfectly, and 120 with a few errors.",
        "copy",
        NTM,
        Code("figures.copy_examples.draw", {"model": "ntm"}),
        Code("report.generalisation_measures.copy_by_ntm"),
    ),
    "fig05": Figure(
        "Copy: the LSTM on longer sequences",
        "The LSTM copies what it was trained on, and degrades rapidly beyond 20 vectors.",
        "copy",
        ("lstm",),
        Code("figures.copy_examples.draw", {"model": "lstm"}),
        Code("report.generalisation_measures.copy_by_lstm"),
    ),
    "fig06": Figure(
        "Copy: use of the memory",
        "The NTM has learned an algorithm: write each vector to the next location, go back, read the same locations.",
        "copy",
        NTM,
        Code("figures.memory_use.draw", {"task": "copy"}),
        Code("report.memory_measures.copy"),
    ),
    "fig07": _curve(
        "Repeat copy: learning curves",
        "All models learn the task to near zero in the end, the NTMs much sooner than the LSTM.",
        "repeat_copy",
    ),
    "fig08": Figure(
        "Repeat copy: longer and more often",
        "The NTM copies twice the length; at twice the repeats it copies on but loses count; the LSTM does neither.",
        "repeat_copy",
        ("ntm", "lstm"),
        Code("figures.repeat_copy_examples.draw"),
        Code("report.generalisation_measures.repeat_copy"),
    ),
    "fig09": Figure(
        "Repeat copy: use of the memory",
        "The read head goes through the written locations once a repeat, and jumps back to the first after each.",
        "repeat_copy",
        NTM,
        Code("figures.memory_use.draw", {"task": "repeat_copy"}),
        Code("report.memory_measures.repeat_copy"),
    ),
    "fig10": _curve(
        "Associative recall: learning curves",
        "NTMs learn to recall far faster than the LSTM, and to nearly zero, which the LSTM does not reach.",
        "associative_recall",
    ),
    "fig11": Figure(
        "Associative recall: more items",
        "NTMs trained on at most 6 items are nearly perfect on 12 and go wrong slowly from there; the LSTM does not.",
        "associative_recall",
        tuple(MODELS),
        Code("figures.recall_generalisation.draw"),
        Code("report.generalisation_measures.recall"),
    ),
    "fig12": Figure(
        "Associative recall: use of the memory",
        "The NTM finds the queried item by content, and reads the item after it by a shift to the next location.",
        "associative_recall",
        NTM,
        Code("figures.memory_use.draw", {"task": "associative_recall"}),
        Code("report.memory_measures.recall"),
    ),
    "fig13": _curve(
        "Dynamic N-grams: learning curves",
        "NTMs come a little, but significantly, closer to the optimal estimator than the LSTM.",
        "dynamic_ngrams",
    ),
    "fig14": Figure(
        "Dynamic N-grams: predictions",
        "On a sequence of 200 bits the models' predictions follow those of the optimal estimator.",
        "dynamic_ngrams",
        ("ntm", "lstm"),
        Code("figures.ngram_predictions.draw"),
        Code("report.memory_measures.ngram_predictions"),
    ),
    "fig15": Figure(
        "Dynamic N-grams: use of the memory",
        "The NTM keeps counts: the same location is read, and written anew, whenever the same context occurs.",
        "dynamic_ngrams",
        NTM,
        Code("figures.ngram_memory.draw"),
        Code("report.memory_measures.ngram_memory"),
    ),
    "fig16": Figure(
        "Priority sort: an example",
        "Shown 20 vectors with priorities, the network is to give the 16 highest, in order.",
        "priority_sort",
        NTM,
        Code("figures.sort_example.draw"),
        Code("report.generalisation_measures.sort_example"),
    ),
    "fig17": Figure(
        "Priority sort: use of the memory",
        "The NTM writes each vector to a location that is a linear function of its priority, and reads them in order.",
        "priority_sort",
        NTM,
        Code("figures.sort_memory.draw"),
        Code("report.memory_measures.sort"),
    ),
    "fig18": _curve(
        "Priority sort: learning curves",
        "NTMs sort far better than the LSTM; more heads are needed than for the other tasks.",
        "priority_sort",
    ),
}
