"""What a task is: it draws batches of sequences by number, and knows its chance level and its test grid.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ntm_repro.randomness import Stream

# What all sequences of one batch share so that they have one length: copy's L, repeat copy's (L, n), recall's items, …
Setting = Any


class Batch(NamedTuple):
    """Sequences `first … first + B − 1` of a stream, time-major.

    input_TBI, target_TBO: float32. mask_TO: 1 where a bit is scored, 0 elsewhere; the same for the whole batch.
    """

    first: int
    setting: Setting
    input_TBI: np.ndarray
    target_TBO: np.ndarray
    mask_TO: np.ndarray

    @property
    def size(self) -> int:
        return self.input_TBI.shape[1]


class Probe(NamedTuple):
    """A setting beyond the paper's, and how many locations it is tested with where a model's memory may have more."""

    setting: Setting
    locations: int = 128


class Task(ABC):
    """A family of sequences. Subclasses are frozen dataclasses whose fields are the task's settings in the config.

    A task module exports its class as `TASK`; it is found by the module's name. It needs no torch.
    """

    name: str
    inputs: ClassVar[int]
    outputs: ClassVar[int]
    evaluation_sequences: ClassVar[int] = 100  # how many of each setting an evaluation draws unless told otherwise

    @abstractmethod
    def setting_of(self, stream: Stream, first: int) -> Setting:
        """The setting of the training batch that starts at sequence number `first`."""

    @abstractmethod
    def draw(self, stream: Stream, first: int, count: int, setting: Setting | None = None) -> Batch:
        """Sequences `first … first + count − 1`, all with `setting`, by default that of the batch starting at `first`.

        A sequence's content depends only on (stream, its number, setting), so a batch may be drawn in any pieces.
        """

    @abstractmethod
    def parse_setting(self, value: Any) -> Setting:
        """One entry of `lengths=[…]` checked and converted; raises `UsageError`."""

    @property
    @abstractmethod
    def grid(self) -> tuple[Setting, ...]:
        """The settings on which the paper, or its natural extension, tests generalisation."""

    @property
    @abstractmethod
    def beyond(self) -> tuple[Probe, ...]:
        """Settings further than any that the paper tried, with its own furthest ones first."""

    @property
    @abstractmethod
    def longest(self) -> Setting:
        """The longest setting seen in training: the one that pictures show."""

    @property
    @abstractmethod
    def chance_bits(self) -> float:
        """Expected cost in bits per training sequence of answering every scored bit by a coin flip."""

    def optimum_bits(self, batch: Batch) -> np.ndarray | None:
        """Bits [B] that the task's optimal estimator pays on `batch`; None where perfection costs 0 bits."""
        return None
