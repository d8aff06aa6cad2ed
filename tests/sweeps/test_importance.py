"""How much of the order each setting explains: against shares worked out by hand."""

import pytest

from ntm_repro.sweeps import importance
from ntm_repro.sweeps.comparison import Comparison, Judged, Setting
from ntm_repro.sweeps.objective import Objective


def compared(varied, settings):
    """settings: {values: median}."""
    made = [Setting(values, [Judged(None, {}, median, [])]) for values, median in settings.items()]
    return Comparison("copy", Objective.final_bits, 1000, varied, made)


def test_of_two_settings_the_one_that_orders():
    values = {(name, rate): 10.0 * (name == "b") + rate for name in "ab" for rate in (1.0, 2.0, 3.0)}
    shares = dict(importance.of(compared(["optimiser.name", "train.learning_rate"], values)))
    # Ranks 1 2 3 and 4 5 6: 13.5 of 17.5 between the names, 4 between the rates.
    assert shares == pytest.approx({"optimiser": 13.5 / 17.5, "train.learning_rate": 4 / 17.5})


def test_what_diverged_is_the_last_in_order():
    values = {(name, rate): float("inf") if name == "b" else rate for name in "ab" for rate in (1.0, 2.0, 3.0)}
    shares = dict(importance.of(compared(["x", "y"], values)))
    assert shares["x"] == pytest.approx(13.5 / 15.5)  # ranks 1 2 3 and three times 5


def test_continuous_settings_are_put_in_groups():
    values = {(place / 16, (7 * place) % 16): float(place) for place in range(16)}
    shares = dict(importance.of(compared(["x", "y"], values)))
    assert shares["x"] == pytest.approx(320 / 340)  # four groups of four neighbours: all but the variance within them
    assert shares["y"] < 0.3


def test_nothing_is_said_of_few_settings_or_one():
    assert importance.of(compared(["x"], {(number,): float(number) for number in range(9)})) == []
    assert importance.of(compared(["x", "y"], {(1, 2): 1.0, (2, 1): 2.0})) == []
