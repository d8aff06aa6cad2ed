"""How well a trained model does on the task's test conditions, most of them longer than any it was trained on.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

from collections.abc import Sequence
from typing import Any

import torch

from ntm_repro import loss
from ntm_repro.kernels import Kernel
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Condition, Task
from ntm_repro.training.loop import to_tensors

# Sequences at once, and steps of all of them: bounds the memory that a batch takes.
BATCH = 100
STEPS = 25_000


def evaluate(
    task: Task, kernel: Kernel, conditions: Sequence[Condition], sequences: int, seed: int
) -> list[dict[str, Any]]:
    """For each condition, means over `sequences` sequences of the evaluation stream, which training never sees.

    Each entry: setting (the condition), sequences, bits (cost), wrong_bits, perfect (share of sequences without a wrong
    bit) and optimum_bits (the task's optimal estimator on the same sequences, or None). Raises `MemoryError` for
    conditions too long for this machine.
    """
    stream = Stream(seed, Purpose.EVALUATION)
    device = next(kernel.model.parameters()).device
    return [_evaluate_one(task, kernel, stream, condition, sequences, device) for condition in conditions]


def _evaluate_one(
    task: Task, kernel: Kernel, stream: Stream, condition: Condition, sequences: int, device: torch.device
) -> dict[str, Any]:
    bits = wrong = perfect = 0.0
    optimum: float | None = None
    try:
        steps = task.draw(stream, 0, 1, condition).input_TBI.shape[0]
    except (ValueError, OverflowError) as error:  # numpy's, of sizes that no array can have
        raise MemoryError(str(error)) from error
    at_once = min(BATCH, max(1, STEPS // steps))
    for first in range(0, sequences, at_once):
        batch = task.draw(stream, first, min(at_once, sequences - first), condition)
        x_TBI, target_TBO, mask_TO = to_tensors(batch, device)
        with torch.no_grad():
            y_TBO = kernel.unroll(x_TBI).y_TBO
        wrong_B = loss.wrong_bits(y_TBO, target_TBO, mask_TO)
        bits += loss.bits(y_TBO, target_TBO, mask_TO).double().sum().item()
        wrong += wrong_B.sum().item()
        perfect += (wrong_B == 0).sum().item()
        optimum_B = task.optimum_bits(batch)
        if optimum_B is not None:
            optimum = (optimum or 0.0) + float(optimum_B.sum())
    return {
        "setting": condition,
        "sequences": sequences,
        "bits": bits / sequences,
        "wrong_bits": wrong / sequences,
        "perfect": perfect / sequences,
        "optimum_bits": None if optimum is None else optimum / sequences,
    }
