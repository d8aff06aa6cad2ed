"""The paper's figures (`paper.FIGURES`), each drawn from the evidence with its own curve beside ours; and more.

`drawer(name)` is the function `draw(store)` that draws one of them, in the file of its family.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ntm_repro.paper import FIGURES, Code

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ntm_repro.figures.run_store import RunStore

# Figures that the paper does not have.
MORE = {
    "beyond": Code("figures.beyond.draw"),
    "failures": Code("figures.failures.draw"),
    "reliability": Code("figures.reliability.draw"),
    "recipes": Code("figures.recipes.draw"),
    "seeds": Code("figures.seed_curves.draw"),
}


def drawer(name: str) -> "Callable[[RunStore], Figure]":
    """The function that draws a figure from the evidence. Raises `KeyError` for an unknown name."""
    return MORE[name].load() if name in MORE else FIGURES[name].drawn_by.load()
