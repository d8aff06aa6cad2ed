"""What stands behind a figure: the runs, how to repeat them, from which commit, and how long they took."""

from collections.abc import Sequence
from typing import NamedTuple

from ntm_repro import paper
from ntm_repro.figures.run_store import RunStore


class Behind(NamedTuple):
    """The runs of one model: `command` trains one of them, `gaps` says what is missing and what makes it."""

    model: str
    command: str
    seeds: str
    commits: str
    hours: float
    gaps: Sequence[str]


def behind(sources: RunStore, figure: paper.Figure) -> list[Behind]:
    """One entry for each model that the figure rests on."""
    return [_of_model(sources, figure.task, model) for model in figure.models]


def _of_model(sources: RunStore, task: str, model: str) -> Behind:
    runs = sources.runs(task, model)
    return Behind(
        paper.MODELS[model],
        f"ntm-train task={task} model={model} seed={runs[0].seed if runs else 1}",
        ", ".join(str(run.seed) for run in runs),
        "; ".join(dict.fromkeys(run.commit for run in runs)),
        sum(run.wall_hours or 0 for run in runs),
        sources.gaps(task, model),
    )
