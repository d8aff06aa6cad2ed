"""The paper's learning curves, digitised: where its figures' axes end, and from when on a task counts as learned."""

import csv
import math
from pathlib import Path

# The models in our order, and what the paper calls them, in the names of the curve files too.
MODELS = {"ntm": "NTM-LSTM", "ntm_ff": "NTM-FF", "lstm": "LSTM"}
LEARNING_FIGURES = {
    "copy": 3,
    "repeat_copy": 7,
    "associative_recall": 10,
    "dynamic_ngrams": 13,
    "priority_sort": 18,
}
# Bits: the mean of 10,000 sequences is to fall below the first, the second, the third. A relapse is from below the
# second to above the first. N-grams: where the paper's LSTM ends, where its NTMs end, and half of that. Priority sort:
# the same.
THRESHOLDS = {
    "copy": (1.0, 0.1, 0.05),
    "repeat_copy": (1.0, 0.1, 0.05),
    "associative_recall": (1.0, 0.1, 0.05),
    "dynamic_ngrams": (5.0, 2.0, 1.0),
    "priority_sort": (60.0, 20.0, 10.0),
}
# Which threshold (its index) says that the task is learned.
LEARNED = {"copy": 2, "repeat_copy": 0, "associative_recall": 0, "dynamic_ngrams": 1, "priority_sort": 1}
# Windows of 10,000 sequences that a cost at the end is a mean over: one scatters by 0.3 bits on N-grams.
WINDOWS_AT_END = {"dynamic_ngrams": 10}
# Bits per sequence of a logarithmic view, from bottom to top. Below the bottom the paper's curves cannot be read off.
CLOSE_UP = {
    "copy": (0.01, 100.0),
    "repeat_copy": (0.1, 250.0),
    "associative_recall": (0.01, 25.0),
    "priority_sort": (5.0, 140.0),
}
NGRAM_OPTIMUM = 131.61  # bits: the line that Figure 13 plots as the optimal estimator
# Where the axes of the learning curves end: thousands of sequences, and bits per sequence from bottom to top.
AXES = {
    3: (1000.0, (0.0, 10.0)),
    7: (500.0, (0.0, 200.0)),
    10: (1000.0, (0.0, 20.0)),
    13: (1000.0, (130.0, 160.0)),
    18: (1000.0, (0.0, 140.0)),
}


def sequences(task: str) -> int:
    """How many sequences the paper's learning curves of a task last."""
    return int(1000 * AXES[LEARNING_FIGURES[task]][0])


def optimum(task: str) -> float:
    """Bits per sequence of the optimal estimator as plotted in the task's learning curves; 0 where there is none."""
    return NGRAM_OPTIMUM if task == "dynamic_ngrams" else 0.0


def curves_dir() -> Path:
    """The folder of curves: inside an installed package, else beside `src` in the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "paper_curves", here.parents[3] / "paper_curves"):
        if (folder / "fig3_LSTM.csv").is_file():
            return folder
    raise FileNotFoundError("no paper_curves folder beside the package")


def plotted(figure: int, model: str) -> list[tuple[float, float]]:
    """A curve as the paper's figure shows it, from where it enters the axes to where it leaves them.

    Learning curves (Figures 3, 7, 10, 13, 18): (thousands of sequences, bits per sequence), each a mean over 10,000
    sequences at the window's middle. Figure 11: (items, bits per sequence). Source: digitised from the paper.
    """
    with (curves_dir() / f"fig{figure}_{MODELS[model]}.csv").open(encoding="utf-8") as file:
        _header, *rows = csv.reader(file)
    return [(float(x), float(y) + 0.0) for x, y in rows]  # some are printed as −0


def curve(figure: int, model: str) -> list[tuple[float, float]]:
    """The values of a plotted curve: its points without those on the edge of the axes, which only end its line."""
    right, (_, top) = AXES.get(figure, (math.inf, (0.0, math.inf)))
    return [(x, y) for x, y in plotted(figure, model) if x < right and y < top]


def window_end(thousands: float) -> int:
    """The number of sequences that ends the window which a learning curve plots at `thousands`."""
    return round(thousands / 10 + 0.5) * 10_000
