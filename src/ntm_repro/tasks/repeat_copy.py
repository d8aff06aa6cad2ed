"""Repeat copy (paper section 4.2): give back a sequence of random bit vectors as often as asked, then mark the end."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task

START, COUNT = -2, -1  # channels of the input after the bits: a flag, and the number of repeats
MARKER = -1  # channel of the output


@dataclass(frozen=True)
class RepeatCopy(Task):
    """Six-bit vectors b₁ … b_L to be given back n times; L and n are uniform and independent.

    min_length, max_length: between which L lies, the number of vectors.
    min_repeats, max_repeats: between which n lies, the number of repeats.
    bits: of a vector, the paper's six or another number.

    Drawn for L = 2, n = 2 and six bits (time runs to the right, T = L (n + 1) + 3; a dot is 0):

        step         0   1   2   3   4   5   6   7   8
        input 0–5    .   b₁  b₂  .   .   .   .   .   .
        input 6      1   .   .   .   .   .   .   .   .     start flag
        input 7      .   .   .   ñ   .   .   .   .   .     n, normalised
        target 0–5   .   .   .   .   b₁  b₂  b₁  b₂  .
        target 6     .   .   .   .   .   .   .   .   1     end marker
        scored       .   .   .   .   ×   ×   ×   ×   ×     all 7 channels: 7 (L n + 1) bits

    ñ = (n − mean) / deviation of a uniform draw from min_repeats … max_repeats: (n − 5.5) / 2.8723 for the paper's
    1 … 10. The paper's text speaks of eight-bit vectors; its figures and parameter counts are those of six bits.
    """

    condition_name: ClassVar[str] = "length × repeats"

    name: str = "repeat_copy"
    min_length: int = 1
    max_length: int = 10
    min_repeats: int = 1
    max_repeats: int = 10
    bits: int = 6

    def __post_init__(self) -> None:
        for what in ("length", "repeats"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            check_setting(low >= 1, f"min_{what}", low, "must be 1 or more")
            check_setting(high >= low, f"max_{what}", high, f"must not be below {{section}}min_{what}={low}")
        check_setting(self.bits >= 1, "bits", self.bits, "must be 1 or more")

    @property
    def inputs(self) -> int:
        return self.bits + 2

    @property
    def outputs(self) -> int:
        return self.bits + 1

    def condition_of(self, stream: Stream, first: int) -> tuple[int, int]:
        words_W = stream.words(first, 2)
        length = randomness.integer(words_W[0], self.min_length, self.max_length)
        return length, randomness.integer(words_W[1], self.min_repeats, self.max_repeats)

    def normalised(self, repeats: int) -> float:
        """The count as the network is told it: mean 0 and variance 1 in training (0 if it never varies)."""
        choices = self.max_repeats - self.min_repeats + 1
        deviation = math.sqrt((choices**2 - 1) / 12) if choices > 1 else 1.0
        return (repeats - (self.min_repeats + self.max_repeats) / 2) / deviation

    def draw(self, stream: Stream, first: int, count: int, condition: tuple[int, int] | None = None) -> Batch:
        length, repeats = self.condition_of(stream, first) if condition is None else condition
        # Words 0 and 1 choose the condition of a batch that starts here; the vectors' bits are packed into those after.
        words_BW = stream.rows(first, count, 2 + -(-length * self.bits // 64))[:, 2:]
        bits_LBC = randomness.bits(words_BW, length * self.bits).reshape(count, length, self.bits).swapaxes(0, 1)

        count_step = length + 1  # the step that tells the count; answers begin at the next
        steps = length * (repeats + 1) + 3
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        input_TBI[0, :, START] = 1
        input_TBI[1:count_step, :, : self.bits] = bits_LBC
        input_TBI[count_step, :, COUNT] = self.normalised(repeats)
        target_TBO = np.zeros((steps, count, self.outputs), np.float32)
        target_TBO[count_step + 1 : -1, :, : self.bits].reshape(repeats, length, count, self.bits)[...] = bits_LBC
        target_TBO[-1, :, MARKER] = 1
        mask_TO = np.zeros((steps, self.outputs), np.float32)
        mask_TO[count_step + 1 :] = 1
        return Batch(first, (length, repeats), input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any) -> tuple[int, int]:
        pair = isinstance(value, list | tuple) and len(value) == 2
        if not pair or any(isinstance(entry, bool) or not isinstance(entry, int) or entry < 1 for entry in value):
            raise ValueError(
                f"{value!r} is no condition; repeat copy takes pairs of positive integers, "
                "[length,repeats], as in lengths=[[10,20],[20,10]]"
            )
        length, repeats = value
        return length, repeats

    @property
    def test_conditions(self) -> tuple[tuple[int, int], ...]:
        return (10, 10), (10, 20), (20, 10)

    @property
    def probes(self) -> tuple[Probe, ...]:
        # Locations for a vector each, and for a writing head that walks on while it counts.
        oftener = Probe((10, 11)), Probe((10, 12)), Probe((10, 15), 192), Probe((10, 20), 256)
        longer = Probe((12, 10)), Probe((15, 10), 192), Probe((20, 10), 256)
        return *oftener, *longer, Probe((20, 20), 512)

    @property
    def longest_condition(self) -> tuple[int, int]:
        return self.max_length, self.max_repeats

    @property
    def example_conditions(self) -> tuple[tuple[int, int], ...]:
        return (3, 3), (10, 7), (10, 20)  # short, as long as in training, and with more repeats

    @property
    def bench_condition(self) -> tuple[int, int]:
        return 5, 6  # 38 steps, near the mean over training

    @property
    def channels(self) -> Channels:
        return Channels({"bits": self.bits, "start": 1, "count": 1}, {"bits": self.bits, "end": 1})

    def describe(self, condition: tuple[int, int]) -> str:
        return f"{condition[0]} vectors, {condition[1]} times"

    def describe_steps(self, condition: tuple[int, int]) -> list[str]:
        length, repeats = condition
        shown = [f"vector {i} of {length} is shown" for i in range(1, length + 1)]
        answers = [
            f"answer: vector {i} of {length}, time {n} of {repeats}"
            for n in range(1, repeats + 1)
            for i in range(1, length + 1)
        ]
        return ["start flag", *shown, f"the count, {repeats}, is told", *answers, "answer: the end marker"]

    @property
    def chance_bits(self) -> float:
        mean_length, mean_repeats = (self.min_length + self.max_length) / 2, (self.min_repeats + self.max_repeats) / 2
        return self.outputs * (mean_length * mean_repeats + 1)


TASK = RepeatCopy
