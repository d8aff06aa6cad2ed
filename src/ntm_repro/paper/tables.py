"""The paper's tasks and models, and the settings that its section 4 and Tables 1–3 state."""

from typing import NamedTuple

from ntm_repro.paper.curves import sequences

# The tasks in the paper's order, and what its section 4 says of each, by the names of our settings.
TASKS = {
    "copy": {"min_length": 1, "max_length": 20},
    "repeat_copy": {"min_length": 1, "max_length": 10, "min_repeats": 1, "max_repeats": 10},
    "associative_recall": {"min_items": 2, "max_items": 6},
    "dynamic_ngrams": {"length": 200, "context": 5},
    "priority_sort": {"vectors": 20, "highest": 16},
}


class Pair(NamedTuple):
    """A line of Tables 1–3: heads and controller (layers × units) as printed, learning rate, number of parameters."""

    heads: str
    controller: str
    learning_rate: float
    parameters: int


PAIRS = {
    ("copy", "ntm_ff"): Pair("1", "100", 1e-4, 17_162),
    ("repeat_copy", "ntm_ff"): Pair("1", "100", 1e-4, 16_712),
    ("associative_recall", "ntm_ff"): Pair("4", "256", 1e-4, 146_845),
    ("dynamic_ngrams", "ntm_ff"): Pair("1", "100", 3e-5, 14_656),
    ("priority_sort", "ntm_ff"): Pair("8", "512", 3e-5, 508_305),
    ("copy", "ntm"): Pair("1", "100", 1e-4, 67_561),
    ("repeat_copy", "ntm"): Pair("1", "100", 1e-4, 66_111),
    ("associative_recall", "ntm"): Pair("1", "100", 1e-4, 70_330),
    ("dynamic_ngrams", "ntm"): Pair("1", "100", 3e-5, 61_749),
    ("priority_sort", "ntm"): Pair("5", "2×100", 3e-5, 269_038),
    ("copy", "lstm"): Pair("", "3×256", 3e-5, 1_352_969),
    ("repeat_copy", "lstm"): Pair("", "3×512", 3e-5, 5_312_007),
    ("associative_recall", "lstm"): Pair("", "3×256", 1e-4, 1_344_518),
    ("dynamic_ngrams", "lstm"): Pair("", "3×128", 1e-4, 331_905),
    ("priority_sort", "lstm"): Pair("", "3×128", 3e-5, 384_424),
}


def settings(task: str, model: str) -> dict[str, float | str]:
    """Every setting of a run that the paper states, as {dotted key of our config: value}.

    Raises `KeyError` for a task or model that is not the paper's.
    """
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
