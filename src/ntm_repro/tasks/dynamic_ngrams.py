"""Dynamic N-grams (paper section 4.4): predict the next bit of a source whose transition table is new each time.

Shape suffixes, beside those of `base`: C contexts (2 to the power of their length).
"""

from dataclasses import dataclass
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
    """The bits after `begin_BT`: bit t is 1 where uniform_t < table[the context before t]. float32, as uniform_BT.

    In plain Python: a bit depends on the one before, and numpy would take longer for each.
    """
    contexts = table_BC.shape[1]
    bit_BT = np.empty(uniform_BT.shape, np.float32)
    first_B = begin_BT @ (2 ** np.arange(begin_BT.shape[1])[::-1])
    for b, context in enumerate(first_B.astype(np.int64).tolist()):
        table, bits = table_BC[b].tolist(), []
        for uniform in uniform_BT[b].tolist():
            bit = uniform < table[context]
            bits.append(bit)
            context = (2 * context + bit) % contexts
        bit_BT[b] = bits
    return bit_BT


def optimal_predictions(bit_TB: np.ndarray, context: int) -> np.ndarray:
    """P(bit t = 1 | the bits before it) of the optimal estimator, [T, B]: (N₁ + ½) / (N₁ + N₀ + 1) (section 4.4).

    N₁ and N₀ count the ones and zeros that have followed the same context earlier in the sequence; the first bits,
    which no context precedes, get ½.
    """
    predicted_TB = np.full(bit_TB.shape, 0.5)
    code_BT = codes(bit_TB.T, context)[:, :-1]
    for b, code_T in enumerate(code_BT.tolist()):
        ones, visits = [0.5] * 2**context, [1] * 2**context
        predicted = []
        for code, bit in zip(code_T, (bit_TB[context:, b] > 0).tolist(), strict=True):
            predicted.append(ones[code] / visits[code])
            ones[code] += bit
            visits[code] += 1
        predicted_TB[context:, b] = predicted
    return predicted_TB


TASK = DynamicNGrams
