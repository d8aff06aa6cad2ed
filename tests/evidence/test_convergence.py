"""When runs converge, relapse and end: by hand."""

import numpy as np
import pytest
from support.recorded_runs import rows

from ntm_repro.evidence import convergence


def first(found):
    """When the mean was first below each threshold."""
    return tuple(crossing.first_below for crossing in found.crossings)


def stays(found):
    """From when it stays below."""
    return tuple(crossing.stays_below for crossing in found.crossings)


def test_the_first_count_with_the_mean_of_ten_thousand_below_each_threshold():
    # 20 rows of 2 bits, then zeros: the mean of ten rows is 1 with five zeros, 0.2 with nine, 0 with ten.
    found = convergence.of_rows("copy", rows([2.0] * 20 + [0.0] * 15))
    assert first(found) == stays(found) == (26_000, 30_000, 30_000)
    assert (found.relapses, found.final) == (0, 0.0)


def test_first_means_first_even_if_it_does_not_last():
    found = convergence.of_rows("copy", rows([0.0] * 10 + [4.0] * 10))
    assert first(found) == (10_000, 10_000, 10_000)
    assert stays(found) == (None, None, None)
    assert found.final == 4.0


def test_to_stay_below_is_to_be_below_to_the_end():
    found = convergence.of_rows("copy", rows([0.0] * 10 + [4.0] + [0.0] * 20))
    # The mean is 0.4 while the row of 4 is among the ten: below 1 all the time, below 0.1 again ten rows after it.
    assert stays(found) == (10_000, 21_000, 21_000)


def test_relapses_are_stretches_of_rows_above_the_first_threshold_after_the_second_was_met():
    before = [5.0, 0.0, 5.0] + [0.0] * 10  # none of these counts: not below 0.1 before 13,000
    after = [3.0, 2.0, 0.0, 1.5, 1.0, 0.9, 40.0]  # 3, 2 are one; 1.5; 40
    found = convergence.of_rows("copy", rows(before + after))
    assert first(found)[1] == 13_000
    assert found.relapses == 3


def test_what_never_converged_cannot_relapse():
    found = convergence.of_rows("copy", rows([0.5] * 10 + [3.0] + [0.5] * 20))
    assert (first(found), found.relapses, found.final) == ((10_000, None, None), None, 0.5)


def test_n_grams_are_judged_by_the_gap_to_the_optimum():
    bits, optimum = [137.0] * 10 + [134.5] * 90, [133.0] * 100
    found = convergence.of_rows("dynamic_ngrams", rows(bits, optimum=optimum))
    # Gaps of 4 and then 1.5: below 5 at once, below 2 with nine rows of 1.5, never below 1.
    assert first(found) == (10_000, 19_000, None)
    # The end is the mean of 100,000: ten rows of 4 and ninety of 1.5.
    assert (found.relapses, found.final) == (0, 1.75)


def test_priority_sort_has_thresholds_of_its_own():
    found = convergence.of_rows("priority_sort", rows([59.0] * 10 + [12.0] * 10 + [61.0]))
    assert first(found) == (10_000, 19_000, None)
    assert found.relapses == 1


def test_a_run_shorter_than_the_window_says_nothing():
    for given in (rows([0.0] * 9), []):
        found = convergence.of_rows("copy", given)
        assert (first(found), stays(found), found.relapses, found.final) == ((None,) * 3, (None,) * 3, None, None)


def test_n_grams_have_no_end_before_a_hundred_thousand_sequences():
    given = rows([134.5] * 101, optimum=[133.0] * 101)
    assert convergence.end_means("dynamic_ngrams", given) == [(100_000, 1.5), (101_000, 1.5)]
    assert convergence.of_rows("dynamic_ngrams", given[:99]).final is None


@pytest.mark.parametrize(
    ("task", "model", "reached", "final"),
    [
        ("copy", "ntm", (30_000, 30_000, 30_000), 0.0),
        ("copy", "ntm_ff", (50_000, 60_000, 60_000), 0.0),
        ("copy", "lstm", (330_000, None, None), 0.523),
        # The mean of the ten last points: 135.346 … 135.793 less the line.
        ("dynamic_ngrams", "lstm", (140_000, None, None), 135.6652 - 131.61),
        ("priority_sort", "ntm", (130_000, 640_000, None), 17.4),
    ],
)
def test_the_same_of_the_papers_curves(task, model, reached, final):
    found = convergence.of_paper(task, model)
    assert first(found) == reached
    assert found.relapses is None
    assert found.final == pytest.approx(final)


def test_the_papers_curve_at_round_numbers():
    means = dict(convergence.paper_means("associative_recall", "lstm"))
    assert [means[k] for k in (30_000, 100_000, 500_000, 1_000_000)] == pytest.approx(
        [16.1, 10.1, 2.04, 0.74], abs=0.05
    )


def test_the_median_counts_who_never_got_there_as_last():
    assert convergence.middle([30, None, 10]) == 30
    assert convergence.middle([30, None, None]) is None
    assert convergence.middle([10, 20]) == 15
    assert convergence.middle([10, None]) is None


def test_the_scatter_of_the_papers_points_is_that_of_noise_on_a_line(monkeypatch):
    rng = np.random.default_rng(5)
    costs = 30 - 0.5 * np.arange(400) + rng.normal(0, 0.3, 400)
    monkeypatch.setattr(convergence, "SCATTER_POINTS", 400)
    monkeypatch.setattr(convergence, "paper_means", lambda task, model: list(enumerate(costs)))
    assert convergence.paper_deviation("priority_sort", "ntm") == pytest.approx(0.3, rel=0.1)
    # The cost of N-grams is a mean over ten points.
    assert convergence.paper_deviation("dynamic_ngrams", "ntm") == pytest.approx(0.3 / 10**0.5, rel=0.1)


def test_a_curve_that_lies_on_its_axis_does_not_scatter():
    assert convergence.paper_deviation("copy", "ntm") == 0
    assert 0.2 < convergence.paper_deviation("priority_sort", "ntm") < 0.4
