"""A size that grows is the one that was asked for, and what it takes is that of one update."""

import pytest

from ntm_repro.bench import growth


@pytest.mark.parametrize(("axis", "value"), [("steps", 400), ("batch", 64), ("heads", 8)])
def test_one_size(axis, value, monkeypatch):
    monkeypatch.setattr(growth, "TURN_SECONDS", 0.01)
    usual, changed = growth.update("steps", 22), growth.update(axis, value)
    assert (changed.axis, changed.value) == (axis, value)
    assert changed.megabytes > 100
    assert changed.ms > usual.ms


def test_every_axis_begins_or_passes_at_the_usual_size():
    assert growth.AXES.keys() == growth.USUAL.keys() == growth.VALUES.keys()
    for axis, values in growth.VALUES.items():
        assert growth.USUAL[axis] in values
        assert list(values) == sorted(values)


def test_memory_is_that_of_the_process_that_measures(monkeypatch):
    """Not that of the one that started it, which held much more."""
    held = bytearray(1_200_000_000)
    held[::4096] = b"x" * len(held[::4096])  # touched, so that it is there
    monkeypatch.setattr(growth, "VALUES", {"steps": (22,)})
    (one,) = growth.measure()
    assert 100 < one.megabytes < 1_000
    del held
