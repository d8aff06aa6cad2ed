"""When runs converge, relapse and end: by hand."""

import pytest
from support.recorded_runs import rows

from ntm_repro.evidence import convergence


def test_the_first_count_with_the_mean_of_ten_thousand_below_each_threshold():
    # 20 rows of 2 bits, then zeros: the mean of ten rows is 1 with five zeros, 0.2 with nine, 0 with ten.
    found = convergence.of_rows("copy", rows([2.0] * 20 + [0.0] * 15))
    assert found == ((26_000, 30_000, 30_000), 0, 0.0)


def test_first_means_first_even_if_it_does_not_last():
    found = convergence.of_rows("copy", rows([0.0] * 10 + [4.0] * 10))
    assert found.reached == (10_000, 10_000, 10_000)
    assert found.final == 4.0


def test_relapses_are_stretches_of_rows_above_the_first_threshold_after_the_second_was_met():
    before = [5.0, 0.0, 5.0] + [0.0] * 10  # none of these counts: not below 0.1 before 13,000
    after = [3.0, 2.0, 0.0, 1.5, 1.0, 0.9, 40.0]  # 3, 2 are one; 1.5; 40
    found = convergence.of_rows("copy", rows(before + after))
    assert found.reached[1] == 13_000
    assert found.relapses == 3


def test_what_never_converged_cannot_relapse():
    found = convergence.of_rows("copy", rows([0.5] * 10 + [3.0] + [0.5] * 20))
    assert found == ((10_000, None, None), None, 0.5)


def test_n_grams_are_judged_by_the_gap_to_the_optimum():
    bits, optimum = [137.0] * 10 + [134.5] * 10, [133.0] * 20
    found = convergence.of_rows("dynamic_ngrams", rows(bits, optimum=optimum))
    # Gaps of 4 and then 1.5: below 5 at once, below 2 with nine rows of 1.5, never below 1.
    assert found == ((10_000, 19_000, None), 0, 1.5)


def test_priority_sort_has_thresholds_of_its_own():
    found = convergence.of_rows("priority_sort", rows([59.0] * 10 + [12.0] * 10 + [61.0]))
    assert found.reached == (10_000, 19_000, None)
    assert found.relapses == 1


def test_a_run_shorter_than_the_window_says_nothing():
    assert convergence.of_rows("copy", rows([0.0] * 9)) == ((None, None, None), None, None)
    assert convergence.of_rows("copy", []) == ((None, None, None), None, None)


@pytest.mark.parametrize(
    ("task", "model", "reached", "final"),
    [
        ("copy", "ntm", (30_000, 30_000, 30_000), 0.0),
        ("copy", "ntm_ff", (50_000, 60_000, 60_000), 0.0),
        ("copy", "lstm", (330_000, None, None), 0.523),
        ("dynamic_ngrams", "lstm", (140_000, None, None), 135.793 - 131.61),
        ("priority_sort", "ntm", (130_000, 640_000, None), 17.4),
    ],
)
def test_the_same_of_the_papers_curves(task, model, reached, final):
    found = convergence.of_paper(task, model)
    assert found.reached == reached
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
