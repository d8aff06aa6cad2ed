"""Where the paper leaves something open, contradicts itself or is left by us, and what the recorded runs did.

What is a setting is read off the runs' own configs, so that the table cannot say other than they do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import run_settings
from ntm_repro.evidence.rendering import Column, Row, Table
from ntm_repro.evidence.run_settings import Pair, leaf
from ntm_repro.evidence.runs import Run

Words = Callable[[Run], str | None]


class Choice(NamedTuple):
    """`paper`: what it says. `here`: what we do, or how to say it of one run. `keys`: the settings that decide it."""

    point: str
    paper: str
    here: str | Words
    keys: str = ""


def _value(key: str, words: dict[object, str]) -> Words:
    """Words for the values of a setting; a run of a model without it is passed over."""

    def say(run: Run) -> str | None:
        value = leaf(run, key)
        return None if value is None else words.get(value, run_settings.plain(value))

    return say


def _shifts(run: Run) -> str | None:
    count = leaf(run, "model.shift_range")
    if count is None:
        return None
    return "−1, 0, +1" if count == 3 else f"−{count // 2} to +{count // 2}"


def _hidden_biases(run: Run) -> str | None:
    wide = leaf(run, "model.hidden_bias")
    if wide is None:
        return None
    return f"N(0, {wide:g}²)" if wide else "0"


def _loss(run: Run) -> str:
    scale = leaf(run, "train.loss_scale")
    return "the sum of a sequence's bits, not their mean" if scale == 1 else f"{scale:g} times that sum"


CHOICES = (
    Choice(
        "Repeat copy's vectors",
        "“eight-bit” in the text; the number of parameters, the chance level and the figures say six",
        "six bits",
    ),
    Choice(
        "LSTM of priority sort, parameters",
        "384,424 printed; no sizes give that number",
        "348,424: the same digits, two of them exchanged",
    ),
    Choice(
        "NTMs, parameters",
        "Tables 1 and 2; no single wiring found gives them all",
        "ours beside the paper's with the difference, in the settings table",
    ),
    Choice(
        "Optimum of dynamic N-grams",
        f"{paper.NGRAM_OPTIMUM} bits, the mean of 1,000 sequences: uncertain by ± 1.1",
        "the optimal estimator on the very sequences that are judged",
    ),
    Choice(
        "Sequences per update",
        "not stated",
        _value("train.batch_size", {1: "one"}),
        "train.batch_size",
    ),
    Choice("Loss", "cross-entropy, reported in bits per sequence", _loss, "train.loss_scale"),
    Choice(
        "Optimiser",
        "“RMSProp in the form described in (Graves, 2013)”, momentum 0.9",
        "that form: centred, 10⁻⁴ under the root, the rate inside the momentum; torch's centred RMSprop is another",
    ),
    Choice(
        "Learning rate",
        "one for each pair (Tables 1 to 3)",
        lambda run: run_settings.rate(run) or "the paper's",
        "train.learning_rate",
    ),
    Choice(
        "Course of the learning rate",
        "not stated; one rate is named for each run",
        lambda run: run_settings.annealing(run) or "constant",
        "train.anneal_from, train.anneal_to",
    ),
    Choice(
        "Clipping",
        "“all gradient components are clipped elementwise to (−10, 10)”",
        _value(
            "train.clip_through_time",
            {
                True: "the parameters' gradient, and the state's where it passes from a step to the one before",
                False: "the parameters' gradient only",
            },
        ),
        "train.clip_through_time",
    ),
    Choice(
        "Initial weights",
        "not stated",
        "N(0, 0.1²), biases 0; for the I inputs of an NTM's controller N(0, 1/I)",
    ),
    Choice(
        "Initial biases of a feedforward controller's hidden units",
        "not stated",
        _hidden_biases,
        "model.hidden_bias",
    ),
    Choice(
        "Memory before the first step",
        "“reset to bias values”; parameters do not grow with the number of locations",
        _value(
            "model.memory.start",
            {"shared": "one learned vector in every location", "per_location": "a learned vector for each location"},
        ),
        "model.memory.start",
    ),
    Choice(
        "Weightings before the first step",
        "not stated",
        _value(
            "model.memory.start",
            {"shared": "on the first location, with a learned sharpness", "per_location": "learned entry by entry"},
        ),
        "model.memory.start",
    ),
    Choice(
        "Read before or after the write",
        "not stated",
        _value("model.read_order", {"after": "after it", "before": "before it"}),
        "model.read_order",
    ),
    Choice(
        "What the output sees",
        "not stated; Figure 12 shows a path from read to output within a step",
        _value(
            "model.output_from",
            {"hidden_and_reads": "the controller's output and what is read", "hidden": "the controller's output"},
        ),
        "model.output_from",
    ),
    Choice("Key and add vectors", "not stated", _value("model.activation", {}), "model.activation"),
    Choice("β, g, s, γ, e", "ranges only", "softplus, logistic, softmax, 1 + softplus, logistic"),
    Choice("Shifts allowed", "not stated; −1, 0, +1 as an example", _shifts, "model.shift_range"),
    Choice("Sharpening", "w^γ, normalised", "softmax(γ log w), which cannot underflow to 0/0"),
)


def table(pairs: Sequence[Pair]) -> Table:
    """Every choice, with the pairs that differ from most."""
    rows: list[Row] = [
        {
            "point": choice.point,
            "the paper": choice.paper,
            "here": choice.here if isinstance(choice.here, str) else said_of(pairs, choice.here),
            "setting": choice.keys or None,
        }
        for choice in CHOICES
    ]
    columns = [Column(name) for name in ("point", "the paper", "here", "setting")]
    caption = (
        "What the recorded runs do where the paper is silent or contradicts itself, and where they leave it. Settings "
        "are read off the runs' own configs: first what most pairs do, then what others do, with their names. LOG.md "
        "has the trials behind each choice."
    )
    return Table("choices", "Where the paper is silent or wrong, and what we chose", caption, columns, rows)


def said_of(pairs: Sequence[Pair], words: Words) -> str:
    """What most pairs do, and then each thing that others do, with the names of those."""
    valued = [(pair, pair.by_value(words)) for pair in pairs]
    valued = [(pair, values) for pair, values in valued if values]
    if not valued:
        return "no run"
    counts = Counter(value for _, values in valued for value in values)
    ((most, _), *others) = counts.most_common()
    parts = [most]
    for value, _ in others:
        where = [(pair, values[value]) for pair, values in valued if value in values]
        parts.append(f"{value}: {_named(where, [pair for pair, _ in valued])}")
    return "; ".join(parts)


def _named(where: Sequence[tuple[Pair, list[int]]], among: Sequence[Pair]) -> str:
    """Names for pairs and seeds: a model or task where it is every pair of `among` with it, else one by one."""
    whole = [pair for pair, seeds in where if len(seeds) == len(pair.runs)]
    names, done = [], []
    for attribute, label in (
        ("model", paper.MODELS),
        ("task", {name: tasks.find(name)().label for name in paper.TASKS}),
    ):
        for value in dict.fromkeys(getattr(pair, attribute) for pair, _ in where):
            all_of_it = [pair for pair in among if getattr(pair, attribute) == value]
            if all(pair in whole for pair in all_of_it) and not all(pair in done for pair in all_of_it):
                names.append(label[value])
                done += all_of_it
    rest = [f"{pair.name}{run_settings.of_seeds(pair, seeds)}" for pair, seeds in where if pair not in done]
    return ", ".join([*names, *rest])
