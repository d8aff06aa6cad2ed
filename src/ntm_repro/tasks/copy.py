"""Copy (paper section 4.1): store a sequence of random bit vectors, then give it back."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import UsageError, check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Probe, Task

WIDTH = 8  # bits per vector
START, END = 8, 9  # flag channels of the input


@dataclass(frozen=True)
class Copy(Task):
    """Eight-bit vectors b₁ … b_L, with L uniform on min_length … max_length, to be repeated after an end flag.

    min_length, max_length: between which L lies, the number of vectors.

    Drawn for L = 3 (time runs to the right, T = 2L + 2; a dot is 0):

        step         0   1   2   3   4   5   6   7
        input 0–7    .   b₁  b₂  b₃  .   .   .   .
        input 8      1   .   .   .   .   .   .   .     start flag
        input 9      .   .   .   .   1   .   .   .     end flag
        target 0–7   .   .   .   .   .   b₁  b₂  b₃
        target 8     .   .   .   .   .   .   .   .     the paper's unused ninth output
        scored       .   .   .   .   .   ×   ×   ×     channels 0–7 only: 8 L bits

    The ninth output is in the paper's parameter counts (Table 3) and is never scored.
    """

    inputs: ClassVar[int] = 10
    outputs: ClassVar[int] = 9

    name: str = "copy"
    min_length: int = 1
    max_length: int = 20

    def __post_init__(self) -> None:
        check_setting(self.min_length >= 1, "min_length", self.min_length, "must be 1 or more")
        check_setting(
            self.max_length >= self.min_length,
            "max_length",
            self.max_length,
            f"must not be below {{section}}min_length={self.min_length}",
        )

    def setting_of(self, stream: Stream, first: int) -> int:
        return randomness.integer(stream.words(first, 1)[0], self.min_length, self.max_length)

    def draw(self, stream: Stream, first: int, count: int, setting: int | None = None) -> Batch:
        length = self.setting_of(stream, first) if setting is None else setting
        # Word 0 chooses the length of a batch that starts here; each vector is an octet of the words after it.
        words_BW = stream.rows(first, count, 1 + -(-length // 8))[:, 1:]
        bits_LBC = randomness.bits(words_BW, length * WIDTH).reshape(count, length, WIDTH).swapaxes(0, 1)

        steps = 2 * length + 2
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        input_TBI[0, :, START] = 1
        input_TBI[1 : length + 1, :, :WIDTH] = bits_LBC
        input_TBI[length + 1, :, END] = 1
        target_TBO = np.zeros((steps, count, self.outputs), np.float32)
        target_TBO[length + 2 :, :, :WIDTH] = bits_LBC
        mask_TO = np.zeros((steps, self.outputs), np.float32)
        mask_TO[length + 2 :, :WIDTH] = 1
        return Batch(first, length, input_TBI, target_TBO, mask_TO)

    def parse_setting(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise UsageError(f"lengths: {value!r} is no length; copy takes positive integers, as in lengths=[20,120]")
        return value

    @property
    def grid(self) -> tuple[int, ...]:
        return (10, 20, 30, 50, 120)

    @property
    def beyond(self) -> tuple[Probe, ...]:
        return Probe(120), Probe(200, 256), Probe(500, 512), Probe(1000, 1024)

    @property
    def longest(self) -> int:
        return self.max_length

    @property
    def chance_bits(self) -> float:
        return WIDTH * (self.min_length + self.max_length) / 2


TASK = Copy
