"""What a trained model does with one sequence, step by step: its answer, its heads, its memory.

Shape suffixes: T time steps, I input channels, O output channels, R read heads, W write heads, K = R + W heads (reading
ones first), N memory locations, M width of a location, S allowed shifts; A scored steps, C scored channels.
"""

from typing import NamedTuple

import numpy as np
import torch

from ntm_repro.kernels import Kernel
from ntm_repro.models.ntm import Trace
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks import Batch, Condition, Task


class Heads(NamedTuple):
    """`models.ntm.Trace` of one sequence, as arrays whose first axis is time instead of the batch."""

    read_weighting_TRN: np.ndarray
    write_weighting_TWN: np.ndarray
    read_TRM: np.ndarray
    erase_TWM: np.ndarray
    add_TWM: np.ndarray
    memory_TNM: np.ndarray
    key_TKM: np.ndarray
    strength_TK1: np.ndarray
    gate_TK1: np.ndarray
    shift_TKS: np.ndarray
    sharpness_TK1: np.ndarray

    @classmethod
    def of(cls, trace: Trace) -> "Heads":
        """The first sequence of an unrolled trace [T, B, …]. Its fields are those here, with B for T in their names."""
        return cls(**{_over_time(name): tensor[:, 0].cpu().numpy() for name, tensor in trace._asdict().items()})


def _over_time(name: str) -> str:
    """For instance "key_BKM" → "key_TKM"."""
    stem, _, suffix = name.rpartition("_B")
    return f"{stem}_T{suffix}"


class Traced(NamedTuple):
    """A batch of one sequence, P(1) of each output bit [T, O], and the heads (None for a model without an NTM's)."""

    batch: Batch
    output_TO: np.ndarray
    heads: Heads | None


def trace(task: Task, kernel: Kernel, condition: Condition, seed: int, number: int = 0) -> Traced:
    """Sequence `number` of the example stream of `seed`, with `condition`, as the kernel's model answers it."""
    batch = task.draw(Stream(seed, Purpose.EXAMPLE), number, 1, condition)
    return Traced(batch, *respond(kernel, batch.input_TBI[:, 0], with_heads=True))


def respond(kernel: Kernel, input_TI: np.ndarray, with_heads: bool = False) -> tuple[np.ndarray, Heads | None]:
    """P(1) of each output bit [T, O] for one sequence, and `with_heads` what the heads did.

    Raises `ValueError` where the inputs do not fit the model.
    """
    values = next(kernel.model.parameters())
    x_TBI = torch.from_numpy(np.ascontiguousarray(input_TI))[:, None].to(values.device, values.dtype)
    with torch.no_grad():
        y_TBO, _, recorded = kernel.unroll(x_TBI, trace=with_heads)
    heads = Heads.of(recorded) if isinstance(recorded, Trace) else None
    return y_TBO[:, 0].sigmoid().cpu().numpy(), heads


class Answer(NamedTuple):
    """The scored part of a sequence: steps `first … first + A − 1`, and the channels scored there, [A, C] each."""

    first: int
    target_AC: np.ndarray
    output_AC: np.ndarray

    @property
    def wrong_AC(self) -> np.ndarray:
        """True where the output is on the wrong side of one half (exactly one half counts as a 0, as in `loss`)."""
        return (self.output_AC > 0.5) != (self.target_AC > 0.5)


def answer(traced: Traced) -> Answer:
    """What was asked of the model and what it said: every task scores one block of its steps and channels."""
    mask_TO = traced.batch.mask_TO > 0
    steps_A, channels_C = np.flatnonzero(mask_TO.any(1)), np.flatnonzero(mask_TO.any(0))
    block = np.ix_(steps_A, channels_C)
    return Answer(int(steps_A[0]), traced.batch.target_TBO[:, 0][block], traced.output_TO[block])
