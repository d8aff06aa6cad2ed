"""What the paper printed and plotted: its curves (digitised) and what its Tables 1–3 say. Torch-free."""

import csv
from pathlib import Path
from typing import NamedTuple

# How the paper calls the three models, in the names of the curve files too.
NAMES = {"ntm": "NTM-LSTM", "ntm_ff": "NTM-FF", "lstm": "LSTM"}
LEARNING_FIGURES = {
    "copy": 3,
    "repeat_copy": 7,
    "associative_recall": 10,
    "dynamic_ngrams": 13,
    "priority_sort": 18,
}
NGRAM_OPTIMUM = 131.61  # bits: the line that Figure 13 plots as the optimal estimator
NGRAM_AXIS_TOP = 160.0  # Figure 13's curves begin above its axis; there they are clipped to it


class Pair(NamedTuple):
    """A line of Tables 1–3: heads and controller as printed, the learning rate, and the number of parameters."""

    heads: str
    controller: str
    learning_rate: float
    parameters: int


def _pair(heads: str, controller: str, learning_rate: float, parameters: int) -> Pair:
    return Pair(heads, controller, learning_rate, parameters)


PAIRS = {
    ("copy", "ntm_ff"): _pair("1", "100", 1e-4, 17_162),
    ("repeat_copy", "ntm_ff"): _pair("1", "100", 1e-4, 16_712),
    ("associative_recall", "ntm_ff"): _pair("4", "256", 1e-4, 146_845),
    ("dynamic_ngrams", "ntm_ff"): _pair("1", "100", 3e-5, 14_656),
    ("priority_sort", "ntm_ff"): _pair("8", "512", 3e-5, 508_305),
    ("copy", "ntm"): _pair("1", "100", 1e-4, 67_561),
    ("repeat_copy", "ntm"): _pair("1", "100", 1e-4, 66_111),
    ("associative_recall", "ntm"): _pair("1", "100", 1e-4, 70_330),
    ("dynamic_ngrams", "ntm"): _pair("1", "100", 3e-5, 61_749),
    ("priority_sort", "ntm"): _pair("5", "2×100", 3e-5, 269_038),
    ("copy", "lstm"): _pair("", "3×256", 3e-5, 1_352_969),
    ("repeat_copy", "lstm"): _pair("", "3×512", 3e-5, 5_312_007),
    ("associative_recall", "lstm"): _pair("", "3×256", 1e-4, 1_344_518),
    ("dynamic_ngrams", "lstm"): _pair("", "3×128", 1e-4, 331_905),
    ("priority_sort", "lstm"): _pair("", "3×128", 3e-5, 384_424),
}


def curves_dir() -> Path:
    """The folder of curves: inside an installed package, else beside `src` in the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "paper_curves", here.parents[3] / "paper_curves"):
        if (folder / "fig3_LSTM.csv").is_file():
            return folder
    raise FileNotFoundError("no paper_curves folder beside the package")


def curve(figure: int, model: str) -> list[tuple[float, float]]:
    """Points of a plotted curve, without those that the figure's own axis cut off.

    Learning curves (Figures 3, 7, 10, 13, 18): (thousands of sequences, bits per sequence), each a mean over 10,000
    sequences at the window's middle. Figure 11: (items, bits per sequence). Source: digitised from the paper.
    """
    with (curves_dir() / f"fig{figure}_{NAMES[model]}.csv").open(encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    points = [(float(x), float(y)) for x, y in rows]
    return [point for point in points if not (figure == 13 and point[1] >= NGRAM_AXIS_TOP)]
