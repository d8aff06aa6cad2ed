"""Priority sort (paper section 4.5): random bit vectors with priorities; give back the highest, highest first."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task

PRIORITY, END = -2, -1  # channels of the input after the bits: a number, and a flag
FREE = 11  # lowest bits of a word that its priority does not use


@dataclass(frozen=True)
class PrioritySort(Task):
    """`vectors` eight-bit vectors, each with a priority p ~ U[−1, 1]; the `highest` are to be given back in order.

    vectors: how many are shown.
    highest: how many of them are to be given back.
    bits: of a vector, the paper's eight or another number.

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

    condition_name: ClassVar[str] = "vectors × highest"

    name: str = "priority_sort"
    vectors: int = 20
    highest: int = 16
    bits: int = 8

    def __post_init__(self) -> None:
        check_setting(self.vectors >= 1, "vectors", self.vectors, "must be 1 or more")
        fits = 1 <= self.highest <= self.vectors
        check_setting(fits, "highest", self.highest, f"must be from 1 to {{section}}vectors={self.vectors}")
        check_setting(self.bits >= 1, "bits", self.bits, "must be 1 or more")

    @property
    def inputs(self) -> int:
        return self.bits + 2

    @property
    def outputs(self) -> int:
        return self.bits

    def condition_of(self, stream: Stream, first: int) -> tuple[int, int]:
        return self.vectors, self.highest

    def draw(self, stream: Stream, first: int, count: int, condition: tuple[int, int] | None = None) -> Batch:
        vectors, highest = self.condition_of(stream, first) if condition is None else condition
        # One word for each vector: its 53 highest bits make the priority, its lowest are the vector, if it has so few.
        more = 0 if self.bits <= FREE else -(-vectors * self.bits // 64)
        words_BW = stream.rows(first, count, vectors + more)
        words_BV = words_BW[:, :vectors]
        if more:
            bits_BVC = randomness.bits(words_BW[:, vectors:], vectors * self.bits).reshape(count, vectors, self.bits)
        else:
            bits_BVC = randomness.bits(words_BV[:, :, None], self.bits)
        priority_BV = (2 * randomness.uniforms(words_BV) - 1).astype(np.float32)
        order_BH = np.argsort(-priority_BV, axis=1, kind="stable")[:, :highest]

        steps = vectors + 1 + highest
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        input_TBI[:vectors, :, : self.bits] = bits_BVC.swapaxes(0, 1)
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
        return Channels({"bits": self.bits, "priority": 1, "end": 1}, {"bits": self.bits})

    def describe(self, condition: tuple[int, int]) -> str:
        return f"{condition[0]} vectors, the {condition[1]} highest"

    def describe_steps(self, condition: tuple[int, int]) -> list[str]:
        vectors, highest = condition
        shown = [f"vector {i} of {vectors} is shown with its priority" for i in range(1, vectors + 1)]
        answers = [f"answer: the vector of rank {i} among the highest {highest}" for i in range(1, highest + 1)]
        return [*shown, "end flag", *answers]

    @property
    def chance_bits(self) -> float:
        return self.bits * self.highest


TASK = PrioritySort
