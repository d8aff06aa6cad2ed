"""What a task is: it draws batches of sequences by number, and describes itself.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ntm_repro.randomness import Purpose, Stream

# What all sequences of one batch share so that they have one length: copy's L, repeat copy's (L, n), recall's items, …
# A plain value that JSON can hold (a tuple as a list): `parse_condition` is given what JSON or YAML brings.
Condition = Any


class Batch(NamedTuple):
    """Sequences `first … first + B − 1` of a stream, time-major.

    input_TBI, target_TBO: float32; targets are bits, 0 or 1. mask_TO: float32, 1 where a bit is scored, 0 elsewhere;
    the same for the whole batch. condition: what its sequences have in common.

    >>> from ntm_repro import tasks
    >>> from ntm_repro.randomness import Purpose, Stream
    >>> batch = tasks.find("copy")().draw(Stream(1, Purpose.TRAIN), first=0, count=4, condition=3)
    >>> batch.input_TBI.shape, batch.target_TBO.shape, batch.mask_TO.shape
    ((8, 4, 10), (8, 4, 9), (8, 9))
    """

    first: int
    condition: Condition
    input_TBI: np.ndarray
    target_TBO: np.ndarray
    mask_TO: np.ndarray

    @property
    def size(self) -> int:
        """B, the number of sequences."""
        return int(self.input_TBI.shape[1])

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return int(self.input_TBI.shape[0])


class Probe(NamedTuple):
    """A condition to test far beyond training, and the memory locations it is tested with where a memory may grow."""

    condition: Condition
    locations: int = 128


class Channels(NamedTuple):
    """Names of neighbouring channels, from channel 0 on, each with how many channels it covers.

    inputs: all I of them. outputs: the scored ones, which come first.
    """

    inputs: dict[str, int]
    outputs: dict[str, int]


class Task(ABC):
    """A family of sequences. Subclasses are frozen dataclasses whose fields are the task's settings in the config.

    A module of `ntm_repro.tasks` exports its class as `TASK`; in another package the class is named by an entry point
    of the group `ntm_repro.tasks`. The default value of `name` is the name of the module or entry point. A task needs
    no torch. Settings out of range raise `errors.InvalidSetting` (a `ValueError`) on construction.

    evaluation_sequences: how many sequences of each condition an evaluation draws by default.
    has_optimum: True where chance decides the target bits, so that even the best estimator has a cost; such a task
    defines `optimum_bits`, and its cost is judged by the difference from that.
    condition_name: what a condition is, for the heads of tables, for instance "length".
    """

    name: str
    evaluation_sequences: ClassVar[int] = 100
    has_optimum: ClassVar[bool] = False
    condition_name: ClassVar[str] = "condition"

    @property
    @abstractmethod
    def inputs(self) -> int:
        """I, the number of input channels; a class variable will do."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """O, the number of output channels; a class variable will do."""

    @abstractmethod
    def condition_of(self, stream: Stream, first: int) -> Condition:
        """The condition of the training batch that starts at sequence number `first`."""

    @abstractmethod
    def draw(self, stream: Stream, first: int, count: int, condition: Condition | None = None) -> Batch:
        """Sequences `first … first + count − 1`, all under `condition` (by default that of the batch from `first` on).

        A sequence's content depends only on (stream, its number, condition): a batch may be drawn in any pieces.
        """

    @abstractmethod
    def parse_condition(self, value: Any) -> Condition:
        """A condition as the user wrote it (numbers, lists of numbers), checked and converted.

        Raises `ValueError`, whose message repeats the value and says what the task takes.
        """

    @property
    @abstractmethod
    def test_conditions(self) -> tuple[Condition, ...]:
        """The conditions on which generalisation is tested: those of the paper, or their natural extension."""

    @property
    def probes(self) -> tuple[Probe, ...]:
        """Conditions further than `test_conditions`, the furthest of those first; none by default."""
        return ()

    @property
    def longest_condition(self) -> Condition:
        """The longest condition of training, by default the first of `test_conditions`."""
        return self.test_conditions[0]

    @property
    def example_conditions(self) -> tuple[Condition, ...]:
        """What pictures and the memory viewer show, by default `longest_condition` alone."""
        return (self.longest_condition,)

    @property
    def bench_condition(self) -> Condition:
        """The condition that stands for training where speed is measured, by default `longest_condition`.

        Its number of steps should be near the mean over training.
        """
        return self.longest_condition

    @property
    def label(self) -> str:
        """The task's name for people: in titles and tables, in lower case."""
        return self.name.replace("_", " ")

    @property
    def channels(self) -> Channels:
        """What the channels are called."""
        return Channels({"input": self.inputs}, {"output": self.outputs})

    def describe(self, condition: Condition) -> str:
        """A condition in words, for instance "20 vectors"."""
        return str(condition)

    def describe_steps(self, condition: Condition) -> list[str]:
        """A phrase for each of the T steps of a sequence under `condition`; "answer" begins those that are scored."""
        mask_TO = self.draw(Stream(1, Purpose.EXAMPLE), 0, 1, condition).mask_TO
        return [f"answer: step {step}" if mask_O.any() else f"step {step}" for step, mask_O in enumerate(mask_TO)]

    @property
    def chance_bits(self) -> float | None:
        """Expected cost in bits per training sequence of answering by coin flips; None where it is not stated."""
        return None

    def optimum_bits(self, batch: Batch) -> np.ndarray | None:
        """Cost in bits [B] of the task's optimal estimator on `batch`; None unless `has_optimum`."""
        return None

    def optimal_output(self, batch: Batch) -> np.ndarray | None:
        """P(bit = 1) [T, B, O] that the optimal estimator gives to each output bit; None where that is not known."""
        return None
