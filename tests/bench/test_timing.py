"""Turns, rounds and quartiles, by a clock that only the candidates move."""

import pytest

from ntm_repro.bench import timing
from ntm_repro.bench.timing import REST_SECONDS, TURN_SECONDS, spread, take_turns


class Clock:
    """Stands in for the module `time`; what sleeps moves it."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Sleeper:
    """Takes a known time; notes in a common diary what is done to it."""

    def __init__(self, name, seconds, diary, clock):
        self.name, self.seconds, self.diary, self.clock = name, seconds, diary, clock

    def __call__(self):
        self.diary.append(self.name)
        self.clock.sleep(self.seconds)

    def reset(self):
        self.diary.append(f"reset {self.name}")


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_candidates_take_turns(clock):
    diary = []
    taken = take_turns({name: Sleeper(name, 2 * TURN_SECONDS, diary, clock) for name in "AB"}, rounds=3, seconds=60)
    first = diary.index("reset A")
    assert diary[first:] == ["reset A", "A", "reset B", "B"] * 3
    assert {name: times.shape for name, times in taken.items()} == {"A": (3,), "B": (3,)}


def test_seconds_are_those_of_one_call(clock):
    """A short call is repeated until its turn is long enough to be timed, after one that is not timed."""
    diary = []
    times = take_turns({"A": Sleeper("A", TURN_SECONDS / 7.5, diary, clock)}, rounds=2, seconds=60)["A"]
    assert times == pytest.approx(TURN_SECONDS / 7.5)
    first = diary.index("reset A")
    assert diary[first:] == ["reset A", *["A"] * (1 + 8)] * 2


def test_fewer_rounds_where_they_take_long(clock):
    diary = []
    taken = take_turns({"A": Sleeper("A", 1.0, diary, clock)}, rounds=20, seconds=0.01)
    assert len(taken["A"]) == timing.FEWEST_ROUNDS
    assert len(take_turns({"A": Sleeper("A", 1.0, diary, clock)}, rounds=1, seconds=0.01)["A"]) == 1
    begin = clock.now
    taken = take_turns({"A": Sleeper("A", 1.0, diary, clock)}, rounds=20, seconds=10)
    assert len(taken["A"]) == int(10 / (1.0 + REST_SECONDS))
    assert clock.now - begin == pytest.approx(3 + 9 * (1.0 + REST_SECONDS))  # three calls find out how long one takes


def test_spread():
    assert spread([4.0, 1.0, 2.0, 3.0, 5.0]) == (3.0, 2.0, 4.0)
    assert spread([7.0]) == (7.0, 7.0, 7.0)
    with pytest.raises(IndexError):
        spread([])
