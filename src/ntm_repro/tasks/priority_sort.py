"""Priority sort (paper section 4.5): random bit vectors with priorities; give back the highest, highest first."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task

BITS = 8  # bits per vector
PRIORITY, END = 8, 9  # channels of the input: a number, and a flag


@dataclass(frozen=True)
class PrioritySort(Task):
    """`vectors` eight-bit vectors, each with a priority p ~ U[−1, 1]; the `highest` are to be given back in order.

    vectors: how many are shown.
    highest: how many of them are to be given back.

    Drawn for 3 vectors and the 2 highest, where p₂ > p₃ > p₁ (time runs to the right, T = vectors + 1 + highest; a dot
    is 0):

        step         0   1   2   3   4   5
        input 0–7    b₁  b₂  b₃  .   .   .
        input 8      p₁  p₂  p₃  .   .   .     priority
        input 9      .   .   .   1   .   .     end flag
        target 0–7   .   .   .   .   b₂  b₃
        scored       .   .   .   .   ×   ×     8 · highest bits

    Should two priorities be equal as float32, the vector shown first comes first.
    """

    inputs: ClassVar[int] = 10
    outputs: ClassVar[int] = 8
    condition_name: ClassVar[str] = "vectors × highest"

    name: str = "priority_sort"
    vectors: int = 20
    highest: int = 16

    def __post_init__(self) -> None:
        check_setting(self.vectors >= 1, "vectors", self.vectors, "must be 1 or more")
        fits = 1 <= self.highest <= self.vectors
        check_setting(fits, "highest", self.highest, f"must be from 1 to {{section}}vectors={self.vectors}")

    def condition_of(self, stream: Stream, first: int) -> tuple[int, int]:
        return self.vectors, self.highest

    def draw(self, stream: Stream, first: int, count: int, condition: tuple[int, int] | None = None) -> Batch:
        vectors, highest = self.condition_of(stream, first) if condition is None else condition
        # One word for each vector: its lowest octet is the vector, its 53 highest bits make the priority.
        words_BV = stream.rows(first, count, vectors)
        bits_BVC = randomness.bits(words_BV[:, :, None], BITS)
        priority_BV = (2 * randomness.uniforms(words_BV) - 1).astype(np.float32)
        order_BH = np.argsort(-priority_BV, axis=1, kind="stable")[:, :highest]

        steps = vectors + 1 + highest
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        input_TBI[:vectors, :, :BITS] = bits_BVC.swapaxes(0, 1)
        input_TBI[:vectors, :, PRIORITY] = priority_BV.T
        input_TBI[vectors, :, END] = 1
        target_TBO = np.zeros((steps, count, self.outputs), np.float32)
        target_TBO[vectors + 1 :] = bits_BVC[np.arange(count), order_BH.T]
        mask_TO = np.zeros((steps, self.outputs), np.float32)
        mask_TO[vectors + 1 :] = 1
        return Batch(first, (vectors, highest), input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any) -> tuple[int, int]:
        pair = isinstance(value, list | tuple) and len(value) == 2
        whole = pair and not any(isinstance(entry, bool) or not isinstance(entry, int) for entry in value)
        if not whole or not 1 <= value[1] <= value[0]:
            raise ValueError(
                f"{value!r} is no condition; priority sort takes pairs [vectors,highest] of positive integers "
                "with no more highest than vectors, as in lengths=[[20,16]]"
            )
        vectors, highest = value
        return vectors, highest

    @property
    def test_conditions(self) -> tuple[tuple[int, int], ...]:
        return ((self.vectors, self.highest),)

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(map(Probe, ((20, 16), (30, 16), (40, 16), (30, 24), (40, 32))))

    @property
    def longest_condition(self) -> tuple[int, int]:
        return self.vectors, self.highest

    @property
    def channels(self) -> Channels:
        return Channels({"bits": BITS, "priority": 1, "end": 1}, {"bits": BITS})

    def describe(self, condition: tuple[int, int]) -> str:
        return f"{condition[0]} vectors, the {condition[1]} highest"

    def describe_steps(self, condition: tuple[int, int]) -> list[str]:
        vectors, highest = condition
        shown = [f"vector {i} of {vectors} is shown with its priority" for i in range(1, vectors + 1)]
        answers = [f"answer: the vector of rank {i} among the highest {highest}" for i in range(1, highest + 1)]
        return [*shown, "end flag", *answers]

    @property
    def chance_bits(self) -> float:
        return BITS * self.highest


TASK = PrioritySort
