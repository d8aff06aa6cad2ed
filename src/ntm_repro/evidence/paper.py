"""What the paper printed and plotted: its curves (digitised) and what its Tables 1–3 say. Torch-free."""

import csv
import math
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
# Where the axes of the learning curves end: thousands of sequences, and bits per sequence from bottom to top.
AXES = {
    3: (1000.0, (0.0, 10.0)),
    7: (500.0, (0.0, 200.0)),
    10: (1000.0, (0.0, 20.0)),
    13: (1000.0, (130.0, 160.0)),
    18: (1000.0, (0.0, 140.0)),
}


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


# What section 4 of the paper says of each task, by the names of our settings.
TASKS = {
    "copy": {"min_length": 1, "max_length": 20},
    "repeat_copy": {"min_length": 1, "max_length": 10, "min_repeats": 1, "max_repeats": 10},
    "associative_recall": {"min_items": 2, "max_items": 6},
    "dynamic_ngrams": {"length": 200, "context": 5},
    "priority_sort": {"vectors": 20, "highest": 16},
}


def settings(task: str, model: str) -> dict[str, float | str]:
    """Every setting of a run that the paper states, as {dotted key of our config: value}."""
    pair = PAIRS[task, model]
    layers, size = ("1×" + pair.controller).split("×")[-2:]
    if model == "lstm":
        stated: dict[str, float | str] = {"model.layers": int(layers), "model.size": int(size)}
    else:
        stated = {
            "model.heads": int(pair.heads),
            "model.controller.layers": int(layers),
            "model.controller.size": int(size),
            "model.memory.locations": 128,
            "model.memory.width": 20,
        }
    return {
        **{f"task.{name}": value for name, value in TASKS[task].items()},
        **stated,
        "train.sequences": sequences(task),
        "train.learning_rate": pair.learning_rate,
        "train.anneal_from": 0,
        "train.anneal_to": 0,
        "train.clip": "value",
        "train.clip_at": 10.0,
    }


def sequences(task: str) -> int:
    """How many sequences the paper's learning curves of a task last."""
    return int(1000 * AXES[LEARNING_FIGURES[task]][0])


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
    with (curves_dir() / f"fig{figure}_{NAMES[model]}.csv").open(encoding="utf-8") as file:
        _header, *rows = csv.reader(file)
    return [(float(x), float(y) + 0.0) for x, y in rows]  # some are printed as −0


def curve(figure: int, model: str) -> list[tuple[float, float]]:
    """The values of a plotted curve: its points without those on the edge of the axes, which only end its line."""
    right, (_, top) = AXES.get(figure, (math.inf, (0.0, math.inf)))
    return [(x, y) for x, y in plotted(figure, model) if x < right and y < top]


def window_end(thousands: float) -> int:
    """The number of sequences that ends the window which a learning curve plots at `thousands`."""
    return round(thousands / 10 + 0.5) * 10_000
