"""Reverse copy: store a sequence of random bit vectors, then give it back from the last to the first."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks import Batch, Task

BITS = 6
END = BITS  # the channel of the end flag


@dataclass(frozen=True)
class ReverseCopy(Task):
    """Six-bit vectors b₁ … b_L, with L uniform on 1 … max_length.

    max_length: the largest L, at least 1.

    Drawn for L = 2 (time runs to the right; a dot is 0):

        step         0   1   2   3   4
        input 0-5    b₁  b₂  .   .   .
        input 6      .   .   1   .   .     end flag
        target 0-5   .   .   .   b₂  b₁
        scored       .   .   .   ×   ×
    """

    inputs: ClassVar[int] = BITS + 1
    outputs: ClassVar[int] = BITS

    name: str = "reverse_copy"
    max_length: int = 8

    def __post_init__(self) -> None:
        check_setting(self.max_length >= 1, "max_length", self.max_length, "must be 1 or more")

    def condition_of(self, stream: Stream, first: int) -> int:
        return randomness.integer(stream.words(first, 1)[0], 1, self.max_length)

    def draw(self, stream: Stream, first: int, count: int, condition: int | None = None) -> Batch:
        length = self.condition_of(stream, first) if condition is None else condition
        words_BW = stream.rows(first, count, 1 + -(-length * BITS // 64))[:, 1:]
        bits_LBC = randomness.bits(words_BW, length * BITS).reshape(count, length, BITS).swapaxes(0, 1)
        input_TBI = np.zeros((2 * length + 1, count, self.inputs), np.float32)
        target_TBO = np.zeros((2 * length + 1, count, self.outputs), np.float32)
        mask_TO = np.zeros((2 * length + 1, self.outputs), np.float32)
        input_TBI[:length, :, :BITS] = bits_LBC
        input_TBI[length, :, END] = 1
        target_TBO[length + 1 :] = bits_LBC[::-1]
        mask_TO[length + 1 :] = 1
        return Batch(first, length, input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{value!r} is no length; reverse copy takes positive integers, as in lengths=[8,20]")
        return value

    @property
    def test_conditions(self) -> tuple[int, ...]:
        return (self.max_length, 2 * self.max_length)
