"""The settings with which the recorded runs of a pair were trained, beside those that the paper states."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import runs
from ntm_repro.evidence.runs import Run
from ntm_repro.training.settings import TrainSettings

# Settings that the paper leaves open, in words.
OPEN = {
    "model.memory.start": "start",
    "model.shift_range": "shifts",
    "model.read_order": "read",
    "model.activation": "key and add",
    "model.hidden_bias": "hidden biases",
    "train.clip_through_time": "clip through time",
    "train.loss_scale": "loss ×",
}
DEFAULTS = {f"train.{key}": value for key, value in asdict(TrainSettings()).items()}
# Of models with such a setting, for runs recorded before there was a key for it.
MODEL_DEFAULTS = {"ntm_ff": {"model.hidden_bias": 0.0}}


class Pair(NamedTuple):
    """All recorded runs of a task and model."""

    task: str
    model: str
    runs: list[Run]

    @property
    def name(self) -> str:
        """The task and the model, as they are called in tables."""
        return f"{tasks.find(self.task)().label} {paper.MODELS[self.model]}"

    def by_value(self, words: Callable[[Run], str | None]) -> dict[str, list[int]]:
        """{what `words` says of a run: the seeds of which it is true}, less what it says nothing of."""
        seeds: dict[str, list[int]] = {}
        for run in self.runs:
            if (value := words(run)) is not None:
                seeds.setdefault(value, []).append(run.seed)
        return seeds


def paired(root: Path) -> list[Pair]:
    """The paper's fifteen pairs in its order, with their recorded runs below `root`."""
    return [Pair(task, model, runs.find(root, task, model)) for task in paper.TASKS for model in paper.MODELS]


def leaf(run: Run, key: str) -> Any:
    """A value of the run's config by its dotted key, or None; the default where the run is older than the key."""
    node: Any = run.config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    if node is None:
        return DEFAULTS.get(key, MODEL_DEFAULTS.get(run.model, {}).get(key))
    return node


def deviations(pair: Pair) -> str:
    """Where the runs' settings are not what the paper states: of all seeds, or naming those it is true of."""
    seeds_by_value: dict[str, list[int]] = {}
    for key, stated in paper.settings(pair.task, pair.model).items():
        for value, seeds in pair.by_value(lambda run, key=key: plain(leaf(run, key))).items():  # type: ignore[misc]
            if value != plain(stated):
                seeds_by_value[f"`{key}` {value}, not {plain(stated)}"] = seeds
    return "; ".join(f"{what}{of_seeds(pair, seeds)}" for what, seeds in seeds_by_value.items())


def departures(pairs: Sequence[Pair]) -> list[str]:
    """Each thing that runs do otherwise than the paper states, in words, with the pairs and seeds that do it."""
    where: dict[str, list[str]] = {}
    for pair in pairs:
        seeds: dict[str, list[int]] = {}
        for run in pair.runs:
            for words in _departures(run):
                seeds.setdefault(words, []).append(run.seed)
        for words, of in seeds.items():
            where.setdefault(words, []).append(f"{pair.name}{of_seeds(pair, of)}")
    return [f"{words}: {', '.join(names)}" for words, names in where.items()]


def lead(pairs: Sequence[Pair]) -> str:
    """With what settings and for how long the pairs were trained, in a sentence or two."""
    left = departures(pairs)
    parts = ["Trained at the paper's sizes, learning rates and lengths."]
    if left:
        parts.append(f"Exceptions: {'; '.join(left)}.")
    short = [f"{pair.name} ({missing})" for pair in pairs if (missing := _missing(pair))]
    if short:
        parts.append(f"Not trained to the end: {', '.join(short)}.")
    return " ".join(parts)


def mixed(pair: Pair) -> str | None:
    """Settings that are not the same for all seeds of a pair, with the seeds of each value; None where all are."""
    found = []
    for key in (*paper.settings(pair.task, pair.model), *OPEN):
        values = pair.by_value(lambda run, key=key: plain(leaf(run, key)))  # type: ignore[misc]
        if len(values) > 1:
            found.append(f"`{key}` {', '.join(f'{value}{of_seeds(pair, seeds)}' for value, seeds in values.items())}")
    return "; ".join(found) or None


def of_seeds(pair: Pair, seeds: Sequence[int]) -> str:
    """Which seeds, in brackets; nothing where it is all of the pair."""
    if len(seeds) == len(pair.runs):
        return ""
    return f" (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})"


def rate(run: Run) -> str | None:
    """The learning rate where it is not the paper's, in words."""
    ours, stated = leaf(run, "train.learning_rate"), paper.PAIRS[run.task, run.model].learning_rate
    return None if ours == stated else f"{ours:g} instead of {stated:g}"


def annealing(run: Run) -> str | None:
    """How the learning rate falls, in words; None where it is constant."""
    begin, end = leaf(run, "train.anneal_from"), leaf(run, "train.anneal_to")
    return f"falls linearly from {begin:,} sequences to zero at {end:,}" if end else None


def joints(run: Run) -> str | None:
    """Where training went on from weights alone, in words; None where it never did."""
    if not run.joints:
        return None
    counts = " and ".join(f"{sequences:,}" for sequences in run.joints)
    return f"from {counts} sequences on trained from weights alone, with a new optimiser"


def plain(value: Any) -> str:
    """A setting's value as printed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _missing(pair: Pair) -> str:
    """Which runs of the pair have not reached their end; nothing where all have."""
    if not pair.runs:
        return "no run"
    return "; ".join(run.progress for run in pair.runs if not run.is_finished)


def _departures(run: Run) -> list[str]:
    """What a run does otherwise than the paper states, in words."""
    parts = [f"learning rate {words}" for words in (rate(run), annealing(run)) if words]
    parts += [joint] if (joint := joints(run)) else []
    for key, stated in paper.settings(run.task, run.model).items():
        ours = leaf(run, key)
        if ours != stated and key not in ("train.learning_rate", "train.anneal_from", "train.anneal_to"):
            parts.append(f"{key} {plain(ours)} instead of {plain(stated)}")
    return parts
