"""Batches are drawn several at a time, in order, each once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams
from ntm_repro.training import drawing
from ntm_repro.training.drawing import Drawer

TASK = DynamicNGrams(length=9, context=3)
STREAM = Stream(1, Purpose.TRAIN)


@pytest.fixture
def drawn(monkeypatch):
    """The numbers of the sequences with which the drawn batches begin."""
    numbers = []
    draw = DynamicNGrams.draw

    def watched(task, stream, first, count, condition=None):
        numbers.append(first)
        return draw(task, stream, first, count, condition)

    monkeypatch.setattr(DynamicNGrams, "draw", watched)
    return numbers


@pytest.fixture
def unhurried(monkeypatch):
    """The time that drawing takes does not count."""
    monkeypatch.setattr(drawing, "SECONDS", 3600)


def firsts(batches):
    return [drawn.batch.first for drawn in batches]


def test_it_draws_ahead_up_to_the_end(unhurried, drawn):
    drawer = Drawer(TASK, STREAM)
    assert firsts(drawer.batches(6, 2, 11)) == [6, 8, 10]
    assert firsts(drawer.batches(8, 2, 11)) == [8, 10]
    assert drawn == [6, 8, 10]


def test_there_is_always_one(unhurried):
    assert firsts(Drawer(TASK, STREAM).batches(20, 2, 11)) == [20]


def test_not_too_many_at_a_time(unhurried, drawn, monkeypatch):
    drawer = Drawer(TASK, STREAM)
    assert len(drawer.batches(0, 1, 1_000_000)) == drawing.BATCHES
    assert firsts(drawer.batches(drawing.BATCHES, 1, 1_000_000))[0] == drawing.BATCHES
    assert drawn == list(range(2 * drawing.BATCHES))


def test_not_more_numbers_than_fit_the_caches(unhurried, monkeypatch):
    monkeypatch.setattr(drawing, "NUMBERS", 5 * 2 * 9)
    assert len(Drawer(TASK, STREAM).batches(0, 2, 1_000_000)) == 5


def test_where_drawing_takes_long_one_at_a_time(monkeypatch):
    monkeypatch.setattr(drawing, "SECONDS", 0)
    assert len(Drawer(TASK, STREAM).batches(0, 2, 1_000_000)) == 1


def test_each_comes_with_its_optimum():
    for batch, optimum in Drawer(TASK, STREAM).batches(0, 2, 8):
        assert optimum == float(TASK.optimum_bits(batch).sum())


@given(places=st.lists(st.integers(0, 30), min_size=1, max_size=6), size=st.integers(1, 3))
def test_wherever_a_run_goes_on_it_gets_the_batches_from_there(places, size):
    drawer = Drawer(TASK, STREAM)
    for place in places:
        for number, (batch, _) in enumerate(drawer.batches(place, size, place + 7)[:3]):
            first = place + number * size
            assert batch.first == first
            assert (batch.input_TBI == TASK.draw(STREAM, first, size).input_TBI).all()
