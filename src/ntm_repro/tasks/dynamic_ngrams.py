"""Dynamic N-grams (paper section 4.4): predict the next bit of a source whose transition table is new each time.

Shape suffixes, beside those of `base`: C contexts (2 to the power of their length), S steps of a block, N blocks.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task


@dataclass(frozen=True)
class DynamicNGrams(Task):
    """Bits b₁ … b_T, each drawn given the `context` bits before it, by a table of probabilities of the sequence's own.

    length: of a sequence, in bits.
    context: how many bits before it a bit depends on, 1 to 8.

    P(bit = 1 | context) ~ Beta(½, ½), one for each of the 2⁵ = 32 contexts; the first five bits are fair coin flips
    (time runs to the right, T = length; a dot is 0):

        step         0   1   2   3   4   5   6   …
        input 0      .   b₁  b₂  b₃  b₄  b₅  b₆  …     the bit before
        target 0     b₁  b₂  b₃  b₄  b₅  b₆  b₇  …     the bit to predict
        scored       ×   ×   ×   ×   ×   ×   ×   …     all: T bits
    """

    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1
    # A sequence's optimum has a deviation of 35 bits: the paper validates on 1,000 of them.
    evaluation_sequences: ClassVar[int] = 1_000
    has_optimum: ClassVar[bool] = True
    condition_name: ClassVar[str] = "length"

    name: str = "dynamic_ngrams"
    length: int = 200
    context: int = 5

    def __post_init__(self) -> None:
        check_setting(
            1 <= self.context <= 8, "context", self.context, "must be from 1 to 8 (the paper's 6-grams have 5)"
        )
        check_setting(
            self.length > self.context, "length", self.length, f"must be above {{section}}context={self.context}"
        )

    def condition_of(self, stream: Stream, first: int) -> int:
        return self.length

    def draw(self, stream: Stream, first: int, count: int, condition: int | None = None) -> Batch:
        length = self.condition_of(stream, first) if condition is None else condition
        contexts = 2**self.context
        # One word for each context's probability, one that holds the first bits, one for each bit after those.
        words_BW = stream.rows(first, count, contexts + 1 + length - self.context)
        uniform_BW = randomness.uniforms(words_BW)
        # Beta(½, ½) is the arcsine law: sin²(π u / 2) inverts its distribution function.
        table_BC = np.sin(np.pi / 2 * uniform_BW[:, :contexts]) ** 2
        bit_BT = np.empty((count, length), np.float32)
        bit_BT[:, : self.context] = randomness.bits(words_BW[:, contexts : contexts + 1], self.context)
        bit_BT[:, self.context :] = follow(table_BC, bit_BT[:, : self.context], uniform_BW[:, contexts + 1 :])

        target_TBO = np.ascontiguousarray(bit_BT.T)[..., None]
        input_TBI = np.zeros((length, count, self.inputs), np.float32)
        input_TBI[1:] = target_TBO[:-1]
        return Batch(first, length, input_TBI, target_TBO, np.ones((length, self.outputs), np.float32))

    def parse_condition(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value <= self.context:
            raise ValueError(
                f"{value!r} is no length; dynamic N-grams takes integers above the {self.context} bits of a "
                "context, as in lengths=[200]"
            )
        return value

    @property
    def test_conditions(self) -> tuple[int, ...]:
        return (self.length,)

    @property
    def probes(self) -> tuple[Probe, ...]:
        # A writing head goes on by a row a bit; but the more rows, the harder is one found by content.
        return Probe(200, 256), Probe(500, 256), Probe(1000, 512)

    @property
    def longest_condition(self) -> int:
        return self.length

    @property
    def label(self) -> str:
        return "dynamic N-grams"

    @property
    def channels(self) -> Channels:
        return Channels({"bit": 1}, {"bit": 1})

    def describe(self, condition: int) -> str:
        return f"{condition} bits"

    def describe_steps(self, condition: int) -> list[str]:
        return [f"answer: bit {i} of {condition} is predicted from those before" for i in range(1, condition + 1)]

    @property
    def chance_bits(self) -> float:
        return self.length

    def optimum_bits(self, batch: Batch) -> np.ndarray:
        bit_TB = batch.target_TBO[..., 0]
        p_TB = optimal_predictions(bit_TB, self.context)
        bits_B: np.ndarray = -np.log2(np.where(bit_TB > 0, p_TB, 1 - p_TB)).sum(0)
        return bits_B

    def optimal_output(self, batch: Batch) -> np.ndarray:
        return optimal_predictions(batch.target_TBO[..., 0], self.context)[..., None]


def codes(bit_BT: np.ndarray, context: int) -> np.ndarray:
    """Each stretch of `context` bits read as a binary number, the oldest bit highest: int [B, T − context + 1].

    bit_BT: zeros and ones of any type.
    """
    last = bit_BT.shape[1] - context + 1
    code_BT = np.zeros((len(bit_BT), last), np.int64)
    for offset in range(context):
        code_BT = 2 * code_BT + (bit_BT[:, offset : offset + last] > 0)
    return code_BT


def follow(table_BC: np.ndarray, begin_BT: np.ndarray, uniform_BT: np.ndarray) -> np.ndarray:
    """The bits after `begin_BT`: bit t is 1 where uniform_t < table[the context before t]. int64, shaped as uniform_BT.

    No loop over time: the steps are cut into √T blocks, all blocks advance together from every context that might
    precede them, and then the context in which a block really ends says which of its successor's walks was real.
    """
    count, contexts = table_BC.shape
    steps = uniform_BT.shape[1]
    size, shifted_NBC, next_block = _places(steps, count, contexts)
    padded_BT = np.zeros((count, size * len(shifted_NBC)))
    padded_BT[:, :steps] = uniform_BT
    uniform_SNB = padded_BT.reshape(count, -1, size).transpose(2, 1, 0).copy()
    # A place is a (block, sequence, context), numbered in that order. `after` holds, for each step of the blocks, the
    # place that follows each place; step by step it turns into the place that a walk from there at the block's
    # beginning has reached.
    after_SNBC = (uniform_SNB[..., None] < table_BC) + shifted_NBC
    reached_SP = after_SNBC.reshape(size, -1)
    for step in range(1, size):
        reached_SP[step] = reached_SP[step].take(reached_SP[step - 1])
    onward_P = reached_SP[-1] + next_block
    context_B = begin_BT @ (2 ** np.arange(begin_BT.shape[1])[::-1])
    real = [(contexts * np.arange(count) + context_B).astype(np.int64)]
    for _ in range(1, len(shifted_NBC)):
        real.append(onward_P.take(real[-1]))
    # A place is even or odd as the last bit of its context.
    bit_SNB: np.ndarray = reached_SP.take(np.array(real), axis=1) & 1
    return bit_SNB.transpose(2, 1, 0).reshape(count, -1)[:, :steps]


@lru_cache(maxsize=8)
def _places(steps: int, count: int, contexts: int) -> tuple[int, np.ndarray, int]:
    """For `follow`: steps per block; for each place the one after a bit 0; how far on the next block's places are."""
    size = math.isqrt(steps - 1) + 1
    blocks = -(-steps // size)
    first_NB1 = contexts * np.arange(blocks * count).reshape(blocks, count, 1)
    return size, first_NB1 + 2 * np.arange(contexts) % contexts, count * contexts


def optimal_predictions(bit_TB: np.ndarray, context: int) -> np.ndarray:
    """P(bit t = 1 | the bits before it) of the optimal estimator, [T, B]: (N₁ + ½) / (N₁ + N₀ + 1) (section 4.4).

    N₁ and N₀ count the ones and zeros that have followed the same context earlier in the sequence; the first bits,
    which no context precedes, get ½.
    """
    steps, count = bit_TB.shape
    predicted_TB = np.full((steps, count), 0.5)
    code_BT = codes(bit_TB.T, context)[:, :-1] + 2**context * np.arange(count)[:, None]
    # A stable sort gathers the visits to each context of each sequence in the order of time, and sums count them.
    order = code_BT.ravel().argsort(kind="stable")
    code, bit = code_BT.ravel()[order], (bit_TB.T[:, context:] > 0).ravel()[order]
    number = np.arange(code.size)
    begin = np.flatnonzero(np.diff(code, prepend=-1))
    begin = begin.repeat(np.diff(begin, append=code.size))  # of each visit: where the visits to its context begin
    ones = bit.cumsum() - bit
    predicted = np.empty(code.size)
    predicted[order] = (ones - ones[begin] + 0.5) / (number - begin + 1)
    predicted_TB[context:] = predicted.reshape(code_BT.shape).T
    return predicted_TB


TASK = DynamicNGrams
