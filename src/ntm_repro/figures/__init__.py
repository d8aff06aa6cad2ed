"""The paper's figures, each drawn from the evidence with the paper's own curve beside ours where it has one; and more.

`drawer(name)(sources)` gives the figure; each is made by a function `draw(sources, …)` in the file of its family.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ntm_repro.figures.run_store import RunStore

# Figure of the paper → the module of this package that draws it, and what it is told. Figures 1 and 2 are diagrams.
FIGURES: dict[str, tuple[str, dict[str, Any]]] = {
    "fig03": ("learning_curves", {"task": "copy"}),
    "fig04": ("copy_examples", {"model": "ntm"}),
    "fig05": ("copy_examples", {"model": "lstm"}),
    "fig06": ("memory_use", {"task": "copy"}),
    "fig07": ("learning_curves", {"task": "repeat_copy"}),
    "fig08": ("repeat_copy_examples", {}),
    "fig09": ("memory_use", {"task": "repeat_copy"}),
    "fig10": ("learning_curves", {"task": "associative_recall"}),
    "fig11": ("recall_generalisation", {}),
    "fig12": ("memory_use", {"task": "associative_recall"}),
    "fig13": ("learning_curves", {"task": "dynamic_ngrams"}),
    "fig14": ("ngram_predictions", {}),
    "fig15": ("ngram_memory", {}),
    "fig16": ("sort_example", {}),
    "fig17": ("sort_memory", {}),
    "fig18": ("learning_curves", {"task": "priority_sort"}),
}
# The same for those that the paper does not have.
MORE: dict[str, tuple[str, dict[str, Any]]] = {"beyond": ("beyond", {})}


def drawer(name: str) -> "Callable[[RunStore], Figure]":
    """The function that draws a figure from the evidence."""
    module, arguments = (FIGURES | MORE)[name]
    return partial(import_module(f"ntm_repro.figures.{module}").draw, **arguments)
