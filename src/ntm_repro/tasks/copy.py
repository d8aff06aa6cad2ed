"""Copy (paper section 4.1): store a sequence of random bit vectors, then give it back."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task

START, END = -2, -1  # flag channels of the input, after the bits


@dataclass(frozen=True)
class Copy(Task):
    """Eight-bit vectors b₁ … b_L, with L uniform on min_length … max_length, to be repeated after an end flag.

    min_length, max_length: between which L lies, the number of vectors.
    bits: of a vector, the paper's eight or another number.

    Drawn for L = 3 and eight bits (time runs to the right, T = 2L + 2; a dot is 0):

        step         0   1   2   3   4   5   6   7
        input 0–7    .   b₁  b₂  b₃  .   .   .   .
        input 8      1   .   .   .   .   .   .   .     start flag
        input 9      .   .   .   .   1   .   .   .     end flag
        target 0–7   .   .   .   .   .   b₁  b₂  b₃
        target 8     .   .   .   .   .   .   .   .     the paper's unused ninth output
        scored       .   .   .   .   .   ×   ×   ×     channels 0–7 only: 8 L bits

    The ninth output is in the paper's parameter counts (Table 3) and is never scored.
    """

    condition_name: ClassVar[str] = "length"

    name: str = "copy"
    min_length: int = 1
    max_length: int = 20
    bits: int = 8

    def __post_init__(self) -> None:
        check_setting(self.min_length >= 1, "min_length", self.min_length, "must be 1 or more")
        check_setting(
            self.max_length >= self.min_length,
            "max_length",
            self.max_length,
            f"must not be below {{section}}min_length={self.min_length}",
        )
        check_setting(self.bits >= 1, "bits", self.bits, "must be 1 or more")

    @property
    def inputs(self) -> int:
        return self.bits + 2

    @property
    def outputs(self) -> int:
        return self.bits + 1

    def condition_of(self, stream: Stream, first: int) -> int:
        return randomness.integer(stream.words(first, 1)[0], self.min_length, self.max_length)

    def draw(self, stream: Stream, first: int, count: int, condition: int | None = None) -> Batch:
        length = self.condition_of(stream, first) if condition is None else condition
        # Word 0 chooses the length of a batch that starts here; the vectors' bits are packed into those after.
        words_BW = stream.rows(first, count, 1 + -(-length * self.bits // 64))[:, 1:]
        bits_LBC = randomness.bits(words_BW, length * self.bits).reshape(count, length, self.bits).swapaxes(0, 1)

        steps = 2 * length + 2
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        input_TBI[0, :, START] = 1
        input_TBI[1 : length + 1, :, : self.bits] = bits_LBC
        input_TBI[length + 1, :, END] = 1
        target_TBO = np.zeros((steps, count, self.outputs), np.float32)
        target_TBO[length + 2 :, :, : self.bits] = bits_LBC
        mask_TO = np.zeros((steps, self.outputs), np.float32)
        mask_TO[length + 2 :, : self.bits] = 1
        return Batch(first, length, input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{value!r} is no length; copy takes positive integers, as in lengths=[20,120]")
        return value

    @property
    def test_conditions(self) -> tuple[int, ...]:
        return (10, 20, 30, 50, 120)

    @property
    def probes(self) -> tuple[Probe, ...]:
        return Probe(120), Probe(200, 256), Probe(500, 512), Probe(1000, 1024)

    @property
    def longest_condition(self) -> int:
        return self.max_length

    @property
    def example_conditions(self) -> tuple[int, ...]:
        return (5, 20, 120)  # short, as long as any in training, and far beyond

    @property
    def bench_condition(self) -> int:
        return 10  # 22 steps, near the mean over training

    @property
    def channels(self) -> Channels:
        return Channels({"bits": self.bits, "start": 1, "end": 1}, {"bits": self.bits})

    def describe(self, condition: int) -> str:
        return f"{condition} vectors"

    def describe_steps(self, condition: int) -> list[str]:
        numbers = range(1, condition + 1)
        shown = [f"vector {i} of {condition} is shown" for i in numbers]
        return ["start flag", *shown, "end flag", *(f"answer: vector {i} of {condition}" for i in numbers)]

    @property
    def chance_bits(self) -> float:
        return self.bits * (self.min_length + self.max_length) / 2


TASK = Copy
