"""How figures look: the style file, one colour and one name for each model, the same in all of them.

A model's module may say how it is called (`LABEL`) and the colour of its lines (`COLOUR`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl

from ntm_repro import models

STYLE = Path(__file__).with_name("ntm.mplstyle")
OTHER = "#cc79a7"  # of models without a colour: one of Okabe and Ito's that no model of ours has
OPTIMUM = "#000000"
UNIT_MAP = "viridis"  # values from 0 to 1: bits, weightings
SIGNED_MAP = "PuOr"  # values of either sign, white at 0: add and read vectors


def label(model: str) -> str:
    """A model's name for people; raises `InvalidSetting` for an unknown model."""
    return getattr(models.find(model), "LABEL", model)


def colour(model: str) -> str:
    """The colour of a model's lines; raises `InvalidSetting` for an unknown model."""
    return getattr(models.find(model), "COLOUR", OTHER)


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house's style, on a canvas that needs no display, and leave matplotlib as it was."""
    with mpl.rc_context(fname=STYLE):
        yield
