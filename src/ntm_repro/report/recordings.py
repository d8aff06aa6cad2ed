"""What the memory viewer plays: sequences answered by trained models, with all that their heads and memory did.

Shape suffixes as in `evaluation.stages`, and: I input channels, O output channels, G the five weightings of a head's
step (the one before, then the four stages).
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ntm_repro import paper, tasks
from ntm_repro.errors import UsageError
from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.stages import Stages, stages
from ntm_repro.evaluation.traces import Heads, Traced, answer, trace
from ntm_repro.figures import panels, style
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.models.ntm import NTM
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.report.packing import pack, pack_exactly
from ntm_repro.tasks import Condition, Task

WITH_MEMORY = ("ntm", "ntm_ff")  # models of the paper

Recording = dict[str, Any]


def all_recordings(sources: RunStore) -> list[Recording]:
    """The examples of every pair whose weights were kept, in the paper's order."""
    return [
        record(trained, condition)
        for task, model in _pairs()
        if (trained := sources.trained(task, model)) is not None
        for condition in trained.task.example_conditions
    ]


def all_gaps(sources: RunStore) -> list[str]:
    """A line for each pair that has no weights to play: what is missing, and the command that makes it."""
    lines = []
    for task, model in _pairs():
        if not any(run.has_weights for run in sources.runs(task, model)):
            why = sources.gaps(task, model) or [f"make reproduce TASKS={task} MODELS={model}"]
            lines.append(f"{tasks.find(task)().label}, {style.label(model)}: {why[0]}")
    return lines


def own_conditions(task: Task) -> list[Condition]:
    """What to show of a run of one's own: the longest condition of its training, then the task's examples."""
    return list(dict.fromkeys((task.longest_condition, *task.example_conditions)))


def record(trained: Trained, condition: Condition) -> Recording:
    """Sequence 0 of the example stream of the run's seed, as the model answers it; all of it goes into JSON.

    Raises `UsageError` for a model without a memory.
    """
    run, task, kernel = trained
    traced = trace(task, kernel, condition, run.seed)
    if traced.heads is None:
        raise UsageError(
            f"run={run.folder}: model={run.model} has no memory to view; name a run of model=ntm or model=ntm_ff"
        )
    assert isinstance(kernel.model, NTM)
    head_stages = stages(kernel.model, traced.heads)
    answers = _answers(task, traced)
    use_N = np.maximum(traced.heads.read_weighting_TRN.max((0, 1)), traced.heads.write_weighting_TWN.max((0, 1)))
    return {
        "id": "-".join([task.name, run.model, *re.findall(r"\w+", str(condition))]),
        "task": task.label,
        "model": style.label(run.model),
        "extent": task.describe(condition),
        "longer": len(traced.output_TO) > _steps(task, task.longest_condition),
        "provenance": panels.provenance(trained),
        "phases": task.describe_steps(condition),
        "inputs": list(task.channels.inputs.items()),
        "targets": list(task.channels.outputs.items()),
        "outputs": list(answers.channels.items()),
        "graded": answers.graded,
        "readers": traced.heads.read_weighting_TRN.shape[1],
        "used": used_rows(use_N).tolist(),
        "limit": panels.limit_of(head_stages.memory_UNM),
        "arrays": _arrays(traced, traced.heads, answers, head_stages),
    }


def _pairs() -> Iterator[tuple[str, str]]:
    return ((task, model) for task in paper.TASKS for model in WITH_MEMORY)


def _steps(task: Task, condition: Condition) -> int:
    return len(task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, condition).input_TBI)


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
    channels = task.channels.outputs
    count = sum(channels.values())
    output_TO, scored_TO = traced.output_TO[:, :count], traced.batch.mask_TO[:, :count]
    target_TO = traced.batch.target_TBO[:, 0, :count]
    if task.has_optimum:
        optimal_TBO = task.optimal_output(traced.batch)
        if optimal_TBO is not None:
            output_TO = np.concatenate([output_TO, optimal_TBO[:, 0, :count]], 1)
            scored_TO = np.concatenate([scored_TO, scored_TO], 1)
            channels = channels | {"optimal": count}
        return Answers(channels, target_TO, output_TO, scored_TO, np.zeros_like(output_TO), False)
    wrong_TO = np.zeros_like(scored_TO)
    wrong_TO[scored_TO > 0] = answer(traced).wrong_AC.ravel()
    return Answers(channels, target_TO, output_TO, scored_TO, wrong_TO, True)


def _arrays(traced: Traced, heads: Heads, answers: Answers, head_stages: Stages) -> dict[str, dict]:
    """The numbers of a recording: those that are drawn in eight bits, those that are printed exactly."""
    every_GTKN = np.stack(
        [
            head_stages.weighting_UKN[:-1],
            head_stages.content_TKN,
            head_stages.gated_TKN,
            head_stages.shifted_TKN,
            head_stages.weighting_UKN[1:],
        ]
    )
    drawn = {
        "target": answers.target_TO,
        "scored": answers.scored_TO,
        "wrong": answers.wrong_TO,
        "weighting": head_stages.weighting_UKN,
        "content": head_stages.content_TKN,
        "gated": head_stages.gated_TKN,
        "shifted": head_stages.shifted_TKN,
        "memory": head_stages.memory_UNM,
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
