"""Associative recall (paper section 4.3): shown a list of items and then one of them, give the item after it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ntm_repro import randomness
from ntm_repro.errors import check_setting
from ntm_repro.randomness import Stream
from ntm_repro.tasks.base import Batch, Channels, Probe, Task

VECTORS = 3  # vectors per item
ITEM, QUERY = -2, -1  # flag channels of the input, after the bits


@dataclass(frozen=True)
class AssociativeRecall(Task):
    """Items of three six-bit vectors each, their number uniform on min_items … max_items.

    min_items, max_items: between which the number of a sequence's items lies.
    bits: of a vector, the paper's six or another number.

    Each sequence asks for the successor of an item of its own, drawn uniformly from all but the last. Drawn for the
    items A = a₁ a₂ a₃ and B with the query A (time runs to the right, T = 4 items + 8; a dot is 0):

        step         0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15
        input 0–5    .   a₁  a₂  a₃  .   b₁  b₂  b₃  .   a₁  a₂  a₃  .   .   .   .
        input 6      1   .   .   .   1   .   .   .   .   .   .   .   .   .   .   .     an item follows
        input 7      .   .   .   .   .   .   .   .   1   .   .   .   1   .   .   .     the query begins, ends
        target 0–5   .   .   .   .   .   .   .   .   .   .   .   .   .   b₁  b₂  b₃
        scored       .   .   .   .   .   .   .   .   .   .   .   .   .   ×   ×   ×     18 bits
    """

    condition_name: ClassVar[str] = "items"

    name: str = "associative_recall"
    min_items: int = 2
    max_items: int = 6
    bits: int = 6

    def __post_init__(self) -> None:
        check_setting(self.min_items >= 2, "min_items", self.min_items, "must be 2 or more: a query needs a successor")
        check_setting(
            self.max_items >= self.min_items,
            "max_items",
            self.max_items,
            f"must not be below {{section}}min_items={self.min_items}",
        )
        check_setting(self.bits >= 1, "bits", self.bits, "must be 1 or more")

    @property
    def inputs(self) -> int:
        return self.bits + 2

    @property
    def outputs(self) -> int:
        return self.bits

    def condition_of(self, stream: Stream, first: int) -> int:
        return randomness.integer(stream.words(first, 1)[0], self.min_items, self.max_items)

    def draw(self, stream: Stream, first: int, count: int, condition: int | None = None) -> Batch:
        items = self.condition_of(stream, first) if condition is None else condition
        bits = items * VECTORS * self.bits
        # Word 0 chooses the number of items of a batch that starts here, word 1 the sequence's query; bits follow.
        words_BW = stream.rows(first, count, 2 + -(-bits // 64))
        query_B = np.array([randomness.integer(word, 0, items - 2) for word in words_BW[:, 1].tolist()])
        # K items, V vectors, C channels: the items, then the query as one more.
        bits_BKVC = randomness.bits(words_BW[:, 2:], bits).reshape(count, items, VECTORS, self.bits)
        asked_BVC, answer_BVC = bits_BKVC[np.arange(count), (query_B, query_B + 1)]

        stride = VECTORS + 1  # a flag before each item
        steps = stride * items + 2 * stride
        input_TBI = np.zeros((steps, count, self.inputs), np.float32)
        # As blocks of a flag and three vectors: one for each item, one for the query, one for the answer.
        blocks_KSBI = input_TBI.reshape(items + 2, stride, count, self.inputs)
        blocks_KSBI[:items, 0, :, ITEM] = 1
        blocks_KSBI[items:, 0, :, QUERY] = 1
        blocks_KSBI[:items, 1:, :, : self.bits] = bits_BKVC.transpose(1, 2, 0, 3)
        blocks_KSBI[items, 1:, :, : self.bits] = asked_BVC.swapaxes(0, 1)
        target_TBO = np.zeros((steps, count, self.outputs), np.float32)
        target_TBO[-VECTORS:] = answer_BVC.swapaxes(0, 1)
        mask_TO = np.zeros((steps, self.outputs), np.float32)
        mask_TO[-VECTORS:] = 1
        return Batch(first, items, input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 2:
            raise ValueError(
                f"{value!r} is no number of items; associative recall takes integers from 2, as in lengths=[6,20]"
            )
        return value

    @property
    def test_conditions(self) -> tuple[int, ...]:
        return (6, 10, 15, 20)

    @property
    def probes(self) -> tuple[Probe, ...]:
        # A feedforward controller writes in both directions from its start, and not always to one row.
        return Probe(15, 256), Probe(20, 384), Probe(30, 384), Probe(50, 512)

    @property
    def longest_condition(self) -> int:
        return self.max_items

    @property
    def example_conditions(self) -> tuple[int, ...]:
        return (3, 6, 20)  # few items, as many as in training, and more

    @property
    def bench_condition(self) -> int:
        return 4  # 24 steps, the mean over training

    @property
    def channels(self) -> Channels:
        return Channels({"bits": self.bits, "item": 1, "query": 1}, {"bits": self.bits})

    def describe(self, condition: int) -> str:
        return f"{condition} items"

    def describe_steps(self, condition: int) -> list[str]:
        vectors = range(1, VECTORS + 1)
        shown = []
        for item in range(1, condition + 1):
            shown.append(f"flag: item {item} of {condition} follows")
            shown += [f"item {item}, vector {v} is shown" for v in vectors]
        query = ["flag: the query follows", *(f"query, vector {v} is shown" for v in vectors), "flag: the query ends"]
        return [*shown, *query, *(f"answer: vector {v} of the item after the query" for v in vectors)]

    @property
    def chance_bits(self) -> float:
        return VECTORS * self.bits


TASK = AssociativeRecall
