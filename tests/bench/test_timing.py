"""Turns, rounds and quartiles."""

import time

import numpy as np
import pytest

from ntm_repro.bench import timing
from ntm_repro.bench.timing import spread, take_turns


class Sleeper:
    """Takes a known time; notes in a common diary what is done to it."""

    def __init__(self, name, seconds, diary):
        self.name, self.seconds, self.diary = name, seconds, diary

    def __call__(self):
        self.diary.append(self.name)
        time.sleep(self.seconds)

    def reset(self):
        self.diary.append(f"reset {self.name}")


def test_candidates_take_turns(monkeypatch):
    monkeypatch.setattr(timing, "TURN_SECONDS", 0.0)
    diary = []
    taken = take_turns({name: Sleeper(name, 0.001, diary) for name in "AB"}, rounds=3, seconds=60)
    first = diary.index("reset A")
    assert diary[first:] == ["reset A", "A", "reset B", "B"] * 3
    assert {name: times.shape for name, times in taken.items()} == {"A": (3,), "B": (3,)}


def test_seconds_are_those_of_one_call():
    """A short call is repeated until its turn is long enough to be timed, after one that is not timed."""
    diary = []
    sleeper = Sleeper("A", 0.004, diary)
    times = take_turns({"A": sleeper}, rounds=2, seconds=60)["A"]
    # A sleep is never shorter than asked for, and a loaded machine may make it much longer.
    assert (times >= 0.004).all()
    assert np.median(times) < 0.1
    turns = " ".join(diary).split("reset A")[1:]
    assert 2 < turns[0].count("A") <= 1 + np.ceil(timing.TURN_SECONDS / 0.004)
    assert turns[0] == turns[1] + " "


def test_fewer_rounds_where_they_take_long():
    diary = []
    taken = take_turns({"A": Sleeper("A", 0.05, diary)}, rounds=20, seconds=0.01)
    assert len(taken["A"]) == timing.FEWEST_ROUNDS
    assert len(take_turns({"A": Sleeper("A", 0.05, diary)}, rounds=1, seconds=0.01)["A"]) == 1


def test_spread():
    assert spread([4.0, 1.0, 2.0, 3.0, 5.0]) == (3.0, 2.0, 4.0)
    assert spread([7.0]) == (7.0, 7.0, 7.0)
    with pytest.raises(IndexError):
        spread([])
