"""What is the paper's: its five tasks and three models, its settings, curves and figures with what they claim.

All of it is data, and torch-free. Training, evaluation and the bench need nothing of it: they take any task and model.
"""

from ntm_repro.paper.curves import (
    AXES,
    CLOSE_UP,
    LEARNED,
    LEARNING_FIGURES,
    MODELS,
    NGRAM_OPTIMUM,
    THRESHOLDS,
    WINDOWS_AT_END,
    curve,
    curves_dir,
    optimum,
    plotted,
    sequences,
    window_end,
)
from ntm_repro.paper.figures import FIGURES, Code, Figure
from ntm_repro.paper.tables import PAIRS, TASKS, Pair, settings

__all__ = [
    "AXES",
    "CLOSE_UP",
    "FIGURES",
    "LEARNED",
    "LEARNING_FIGURES",
    "MODELS",
    "NGRAM_OPTIMUM",
    "PAIRS",
    "TASKS",
    "THRESHOLDS",
    "WINDOWS_AT_END",
    "Code",
    "Figure",
    "Pair",
    "curve",
    "curves_dir",
    "optimum",
    "plotted",
    "sequences",
    "settings",
    "window_end",
]
