"""How the learning rate rises and falls, against a naive computation."""

import math

import pytest

from ntm_repro.errors import InvalidSetting
from ntm_repro.training.settings import Schedule, TrainSettings


def naive(sequences, rate, batch, warm_up, schedule, begin, end):
    """The rate of the update on the sequences from number `sequences` on."""
    if end > 0 and sequences > begin and schedule != "constant":
        done = (sequences - begin) / (end - begin)
        rate *= 1 - done if schedule == "linear" else 0.5 + 0.5 * math.cos(math.pi * done)
    if warm_up and sequences + batch < warm_up:
        rate *= (sequences + batch) / warm_up
    return rate


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize(("begin", "end"), [(0, 0), (0, 40), (12, 40), (12, 80)])
@pytest.mark.parametrize(("warm_up", "batch"), [(0, 1), (8, 1), (8, 3), (20, 4)])
def test_the_rate_of_every_update(schedule, begin, end, warm_up, batch):
    settings = TrainSettings(
        sequences=40,
        batch_size=batch,
        learning_rate=0.01,
        warm_up=warm_up,
        schedule=Schedule[schedule],
        anneal_from=begin,
        anneal_to=end,
    )
    for sequences in range(0, 40, batch):
        expected = naive(sequences, 0.01, batch, warm_up, schedule, begin, end)
        assert settings.learning_rate_after(sequences) == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_with_the_defaults_it_is_the_rate_to_the_bit():
    settings = TrainSettings(learning_rate=1e-4)
    assert {settings.learning_rate_after(sequences) for sequences in (0, 1, 999_999)} == {1e-4}


def test_the_straight_line_has_the_bits_it_had_before_there_were_others():
    settings = TrainSettings(sequences=1000, learning_rate=3e-5, anneal_from=300, anneal_to=1000)
    for sequences in range(301, 1000):
        assert settings.learning_rate_after(sequences) == 3e-5 * ((1 - sequences / 1000) / (1 - 300 / 1000))


def test_a_half_cosine_is_half_way_down_in_the_middle():
    settings = TrainSettings(sequences=100, learning_rate=1.0, schedule=Schedule.cosine, anneal_to=100)
    assert settings.learning_rate_after(50) == pytest.approx(0.5, rel=1e-12)
    assert settings.learning_rate_after(1) > 0.999
    assert 0 < settings.learning_rate_after(99) < 0.001


@pytest.mark.parametrize("key", ["warm_up", "anneal_from"])
def test_numbers_of_sequences_are_not_negative(key):
    with pytest.raises(InvalidSetting, match=f"^{key}=-1: must be 0 or more"):
        TrainSettings(**{key: -1})
