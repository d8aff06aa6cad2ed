"""How figures look: the style file, one colour and one name for each model, the same in all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl

STYLE = Path(__file__).with_name("ntm.mplstyle")
# Okabe and Ito's, told apart by colour-blind readers.
COLOURS = {"ntm": "#0072b2", "ntm_ff": "#d55e00", "lstm": "#009e73"}
LABELS = {"ntm": "NTM, LSTM controller", "ntm_ff": "NTM, feedforward controller", "lstm": "LSTM"}
OPTIMUM = "#000000"
UNIT_MAP = "viridis"  # values from 0 to 1: bits, weightings
SIGNED_MAP = "PuOr"  # values of either sign, white at 0: add and read vectors


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house's style, on a canvas that needs no display, and leave matplotlib as it was."""
    with mpl.rc_context(fname=STYLE):
        yield
