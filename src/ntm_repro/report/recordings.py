"""What the memory viewer plays: sequences answered by trained models, with all that their heads and memory did.

Shape suffixes as in `evaluation.stages`, and: I input channels, O output channels, G the five weightings of a head's
step (the one before, then the four stages).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ntm_repro.errors import UsageError
from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.stages import Stages, stages
from ntm_repro.evaluation.traces import Heads, Traced, answer, trace
from ntm_repro.evidence import runs
from ntm_repro.evidence.runs import NAMES
from ntm_repro.figures import panels
from ntm_repro.figures.channels import CHANNELS
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.figures.style import LABELS
from ntm_repro.kernels import Kernel
from ntm_repro.models.ntm import NTM
from ntm_repro.report.packing import pack, pack_exactly
from ntm_repro.report.step_captions import extent, phases
from ntm_repro.tasks import Setting, Task
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams, optimal_predictions

# Sequences as long as in training, and such as were never met there.
SCENES: dict[str, tuple[Setting, ...]] = {
    "copy": (5, 20, 120),
    "repeat_copy": ((3, 3), (10, 7), (10, 20)),
    "associative_recall": (3, 6, 20),
    "dynamic_ngrams": (200,),
    "priority_sort": ((20, 16),),
}
MODELS = ("ntm", "ntm_ff")

Recording = dict[str, Any]


def all_recordings(sources: RunStore) -> list[Recording]:
    """The scenes of every pair whose weights were kept, in the paper's order."""
    return [
        record(trained, setting)
        for task, model in _pairs()
        if (trained := sources.trained(task, model)) is not None
        for setting in SCENES[task]
    ]


def all_gaps(sources: RunStore) -> list[str]:
    """A line for each pair that has no weights to play: what is missing, and the command that makes it."""
    lines = []
    for task, model in _pairs():
        if not any(run.has_weights for run in sources.runs(task, model)):
            why = sources.gaps(task, model) or [f"make reproduce TASKS={task} MODELS={model}"]
            lines.append(f"{NAMES[task]}, {LABELS[model]}: {why[0]}")
    return lines


def run_recordings(
    folder: Path, load: Callable[[Path], tuple[Task, Kernel]], lengths: Sequence[Any] = ()
) -> list[Recording]:
    """One run's own scenes: `lengths` as `ntm-eval` takes them, by default its longest in training and its task's.

    `load` is that of `Sources`. Raises `UsageError` where there is no run, for lengths that the task does not take, and
    for a model without a memory.
    """
    run = runs.read(folder)
    if run is None:
        raise UsageError(f"run={folder}: no readable summary.json there; name a run's folder")
    trained = Trained(run, *load(folder))
    task = trained.task
    settings = [task.parse_setting(value) for value in lengths] or dict.fromkeys((task.longest, *SCENES[task.name]))
    return [record(trained, setting) for setting in settings]


def record(trained: Trained, setting: Setting) -> Recording:
    """Sequence 0 of the example stream of the run's seed, as the model answers it; all of it goes into JSON.

    Raises `UsageError` for a model without a memory.
    """
    run, task, kernel = trained
    traced = trace(task, kernel, setting, run.seed)
    if traced.heads is None:
        raise UsageError(
            f"run={run.folder}: model={run.model} has no memory to view; name a run of model=ntm or model=ntm_ff"
        )
    assert isinstance(kernel.model, NTM)
    found = stages(kernel.model, traced.heads)
    names = CHANNELS[task.name]
    answers = _answers(task, traced)
    use_N = np.maximum(traced.heads.read_weighting_TRN.max((0, 1)), traced.heads.write_weighting_TWN.max((0, 1)))
    return {
        "id": "-".join([task.name, run.model, *(str(number) for number in np.atleast_1d(setting))]),
        "task": NAMES[task.name],
        "model": LABELS[run.model],
        "extent": extent(task.name, setting),
        "longer": bool(np.any(np.atleast_1d(setting) > np.atleast_1d(task.longest))),
        "provenance": panels.provenance(trained),
        "phases": phases(task.name, setting),
        "inputs": list(names.inputs.items()),
        "targets": list(names.outputs.items()),
        "outputs": list(answers.channels.items()),
        "graded": answers.graded,
        "readers": traced.heads.read_weighting_TRN.shape[1],
        "used": used_rows(use_N).tolist(),
        "limit": panels.limit_of(found.memory_UNM),
        "arrays": _arrays(traced, traced.heads, answers, found),
    }


def _pairs() -> Iterator[tuple[str, str]]:
    return ((task, model) for task in SCENES for model in MODELS)


class Answers(NamedTuple):
    """Targets and outputs of the channels shown: P(1), whether that is scored, and whether it is wrong.

    graded: whether a rounded output can be right or wrong.
    """

    channels: dict[str, int]
    target_TO: np.ndarray
    output_TO: np.ndarray
    scored_TO: np.ndarray
    wrong_TO: np.ndarray
    graded: bool


def _answers(task: Task, traced: Traced) -> Answers:
    """The model's; where chance draws the bits no prediction is wrong, but the best possible one stands beside it."""
    channels = CHANNELS[task.name].outputs
    count = sum(channels.values())
    output_TO, scored_TO = traced.output_TO[:, :count], traced.batch.mask_TO[:, :count]
    target_TO = traced.batch.target_TBO[:, 0, :count]
    if isinstance(task, DynamicNGrams):
        both_TO = np.concatenate([output_TO, optimal_predictions(target_TO, task.context)], 1)
        return Answers(
            channels | {"optimal": 1}, target_TO, both_TO, np.ones_like(both_TO), np.zeros_like(both_TO), False
        )
    wrong_TO = np.zeros_like(scored_TO)
    wrong_TO[scored_TO > 0] = answer(traced).wrong_AC.ravel()
    return Answers(channels, target_TO, output_TO, scored_TO, wrong_TO, True)


def _arrays(traced: Traced, heads: Heads, answers: Answers, found: Stages) -> dict[str, dict]:
    """The numbers of a recording: those that are drawn in eight bits, those that are printed exactly."""
    every_GTKN = np.stack(
        [found.weighting_UKN[:-1], found.content_TKN, found.gated_TKN, found.shifted_TKN, found.weighting_UKN[1:]]
    )
    drawn = {
        "target": answers.target_TO,
        "scored": answers.scored_TO,
        "wrong": answers.wrong_TO,
        "weighting": found.weighting_UKN,
        "content": found.content_TKN,
        "gated": found.gated_TKN,
        "shifted": found.shifted_TKN,
        "memory": found.memory_UNM,
        "key": heads.key_TKM,
        "erase": heads.erase_TWM,
        "add": heads.add_TWM,
        "read": heads.read_TRM,
    }
    printed = {
        "input": traced.batch.input_TBI[:, 0],
        "output": answers.output_TO,
        "strength": heads.strength_TK1,
        "gate": heads.gate_TK1,
        "shift": heads.shift_TKS,
        "sharpness": heads.sharpness_TK1,
        "largest": every_GTKN.max(-1).transpose(1, 2, 0),
        "largest_at": every_GTKN.argmax(-1).transpose(1, 2, 0),
    }
    return {name: pack(values) for name, values in drawn.items()} | {
        name: pack_exactly(values) for name, values in printed.items()
    }
