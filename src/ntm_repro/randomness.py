"""Everything random comes from (seed, purpose, sequence number); no draw depends on an earlier one.

A sequence's words are counted off in its own stretch of the Philox4x64-10 stream keyed by (seed, purpose): resuming a
run, splitting a batch or drawing the millionth sequence first gives the same bits as drawing everything in order.
"""

from enum import IntEnum
from typing import Any

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes never overlap."""

    TRAIN = 0
    VALIDATION = 1
    EVALUATION = 2
    EXAMPLE = 3
    INITIALISATION = 4
    INPUT_SCALE = 5
    INPUT_NOISE = 6


class Stream:
    """Random 64-bit words addressed by sequence number.

    >>> Stream(seed=1, purpose=Purpose.TRAIN).words(sequence=41, count=2).shape
    (2,)
    """

    def __init__(self, seed: int, purpose: Purpose) -> None:
        self.seed = seed
        self.purpose = purpose
        self._generator = np.random.Philox(key=np.array([seed, purpose], dtype=np.uint64))
        # Lists of Python integers: the generator reads its state entry by entry, and from arrays twice as slowly. The
        # 256-bit counter counts blocks of four words in its lowest entry, so each sequence owns 2**64 blocks.
        self._counter = [0, 0, 0, 0]
        self._state: Any = {
            **self._generator.state,
            "state": {"counter": self._counter, "key": [int(seed), int(purpose)]},
            "buffer": [0, 0, 0, 0],
        }

    def words(self, sequence: int, count: int) -> np.ndarray:
        """The first `count` words (uint64) of sequence number `sequence` (0 ≤ sequence < 2**63)."""
        self._counter[1] = sequence
        self._generator.state = self._state
        return self._generator.random_raw(count)

    def rows(self, first: int, sequences: int, count: int) -> np.ndarray:
        """The first `count` words of each of the sequences `first … first + sequences − 1`: [sequences, count]."""
        return np.concatenate([self.words(first + row, count) for row in range(sequences)]).reshape(sequences, count)


def integer(word: np.uint64 | int, low: int, high: int) -> int:
    """A uniform integer in [low, high] from a 64-bit word (bias below range / 2**32)."""
    # In plain Python integers: arrays of one element cost ten times as much, and a batch needs few of these.
    return low + ((int(word) >> 32) * (high - low + 1) >> 32)


def bits(words: np.ndarray, count: int) -> np.ndarray:
    """The first `count` ≤ 64 W fair coin flips (float32 0 or 1) held in `words` [..., W]; shape [..., count]."""
    if count > 64 * words.shape[-1]:
        raise ValueError(f"{count} bits asked of {words.shape[-1]} words")
    octets = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=count, bitorder="little").astype(np.float32)


def uniforms(words: np.ndarray) -> np.ndarray:
    """Uniform float64 in [0, 1), multiples of 2**-53 from the 53 highest bits of each word."""
    return (words >> np.uint64(11)) * 2.0**-53
