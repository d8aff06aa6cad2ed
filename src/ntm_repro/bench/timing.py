"""Paired timing: candidates take turns, so that whatever slows the machine for a while slows all of them."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

# A turn lasts at least this long, in as many calls as it takes: the clock and a cold cache are then lost in it.
TURN_SECONDS = 0.03
FEWEST_ROUNDS = 3
# Before each turn: an OpenMP thread may spin for a moment after its work, on a core that the next candidate needs.
REST_SECONDS = 0.05


class Spread(NamedTuple):
    """Median and quartiles."""

    median: float
    q1: float
    q3: float


def spread(values: Sequence[float] | np.ndarray) -> Spread:
    """The spread of one number or more."""
    q1, median, q3 = np.percentile(values, [25, 50, 75])
    return Spread(float(median), float(q1), float(q3))


class Candidate(Protocol):
    """Something to time."""

    def __call__(self) -> None:
        """Do it once."""

    def reset(self) -> None:
        """Go back to how it was before the first call; untimed."""


def take_turns(candidates: Mapping[str, Candidate], rounds: int, seconds: float) -> dict[str, np.ndarray]:
    """Seconds per call of each candidate in each round, where entry r of one and of another are a pair: {name: [R]}.

    R is `rounds` where they fit into `seconds` in all; where they do not it is less, but at least three (or `rounds`).
    """
    calls: dict[str, int] = {}
    for name, candidate in candidates.items():
        candidate()  # whatever only a first call does
        calls[name] = max(1, int(np.ceil(TURN_SECONDS / min(_turn(candidate, 1), _turn(candidate, 1)))))
    seconds_by_name: dict[str, list[float]] = {name: [] for name in candidates}
    begin = time.perf_counter()
    for done in range(rounds):
        spent = time.perf_counter() - begin
        if done >= FEWEST_ROUNDS and spent * (done + 1) / done > seconds:
            break
        for name, candidate in candidates.items():
            candidate.reset()
            time.sleep(REST_SECONDS)
            if calls[name] > 1:
                candidate()  # its data are in the caches again, as in training
            seconds_by_name[name].append(_turn(candidate, calls[name]))
    return {name: np.array(times) for name, times in seconds_by_name.items()}


def _turn(candidate: Candidate, calls: int) -> float:
    begin = time.perf_counter()
    for _ in range(calls):
        candidate()
    return (time.perf_counter() - begin) / calls
