"""Trailing means, when they are below thresholds, and the words of a run's closing line."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.window_rows import rows_of

from ntm_repro.training import convergence
from ntm_repro.training.convergence import Crossings, crossings, results, trailing_means


def naive_trailing_means(rows):
    """At each row, of the stretches of whole rows that end there, the shortest with 10,000 sequences."""
    ends = [0] + [row["sequences"] for row in rows]
    means = []
    for last in range(1, len(ends)):
        for first in range(last - 1, -1, -1):
            if ends[last] - ends[first] >= 10_000:
                bits = math.fsum(rows[i]["bits_per_sequence"] * (ends[i + 1] - ends[i]) for i in range(first, last))
                means.append((ends[last], bits / (ends[last] - ends[first])))
                break
    return means


counts = st.one_of(st.integers(1, 25_000), st.sampled_from([1, 999, 1_000, 5_000, 9_999, 10_000, 10_001]))


@given(st.lists(st.tuples(counts, st.floats(0, 200)), max_size=40))
def test_trailing_means_of_any_rows(windows):
    rows = rows_of(*windows)
    means = trailing_means(rows)
    expected = naive_trailing_means(rows)
    assert [end for end, _ in means] == [end for end, _ in expected]
    assert [mean for _, mean in means] == pytest.approx([mean for _, mean in expected], rel=1e-9, abs=1e-9)


# In sixty-fourths all sums are exact, so that both sides see the same mean on the same side of a threshold.
sixty_fourths = st.one_of(st.integers(0, 80), st.integers(0, 8), st.just(64)).map(lambda count: count / 64)


@given(st.lists(st.tuples(counts, sixty_fourths), min_size=1, max_size=40))
@settings(max_examples=300)
def test_convergence_of_any_rows(windows):
    rows = rows_of(*windows)
    means = naive_trailing_means(rows)
    total = sum(count for count, _ in windows)
    overall = sum(count * bits for count, bits in windows) / total
    expected = {"final_bits": means[-1][1] if means else overall}
    for name, threshold in (("1", 1), ("0_1", 0.1), ("0_05", 0.05)):
        below = [end for end, mean in means if mean < threshold]
        stays = [end for i, (end, _) in enumerate(means) if all(mean < threshold for _, mean in means[i:])]
        expected[f"first_below_{name}"] = below[0] if below else None
        expected[f"stays_below_{name}"] = expected[f"solved_below_{name}"] = stays[0] if stays else None
    assert results(rows) == expected


def test_a_thousand_at_a_time_it_is_the_mean_of_the_last_ten_rows():
    rows = rows_of(*[(1_000, float(i)) for i in range(1, 13)])
    assert trailing_means(rows) == [(10_000, 5.5), (11_000, 6.5), (12_000, 7.5)]
    assert results(rows)["final_bits"] == 7.5


NEVER = {
    f"{what}_below_{threshold}": None for what in ("first", "stays", "solved") for threshold in ("1", "0_1", "0_05")
}


def test_both_results_are_where_the_trailing_mean_falls_below():
    rows = rows_of(*[(1_000, 2.0)] * 10, *[(1_000, 0.0)] * 20)
    # After k rows of 0 it is 2 − 0.2 k: below 1 with the sixth, below 0.1 and 0.05 with the tenth.
    expected = {"1": 16_000, "0_1": 20_000, "0_05": 20_000}
    assert results(rows) == {"final_bits": 0.0} | {
        f"{what}_below_{threshold}": count
        for what in ("first", "stays", "solved")
        for threshold, count in expected.items()
    }


def test_a_relapse_counts_for_one_result_and_not_for_the_other():
    solved = [(1_000, 0.0)] * 20
    relapsed = results(rows_of(*solved, (1_000, 50.0), *solved))
    assert relapsed["first_below_0_1"] == 10_000
    # The relapse is out of the trailing mean ten rows after it.
    assert relapsed["stays_below_0_1"] == relapsed["solved_below_0_1"] == 31_000


def test_a_relapse_at_the_end_is_below_first_and_does_not_stay():
    found = results(rows_of(*[(1_000, 0.0)] * 20, (1_000, 50.0)))
    first = {f"first_below_{threshold}": 10_000 for threshold in ("1", "0_1", "0_05")}
    assert found == NEVER | first | {"final_bits": 5.0}


def test_never_below_is_none():
    assert results(rows_of(*[(1_000, 8.0)] * 30)) == NEVER | {"final_bits": 8.0}


@pytest.mark.parametrize(("name", "threshold"), [("1", 1.0), ("0_1", 0.1), ("0_05", 0.05)])
def test_below_means_strictly_below(name, threshold):
    for what in ("first", "stays"):
        assert results(rows_of((10_000, threshold)))[f"{what}_below_{name}"] is None
        lower = math.nextafter(threshold, 0) - 1e-12
        assert results(rows_of((10_000, lower)))[f"{what}_below_{name}"] == 10_000


def test_a_mean_that_is_not_a_number_is_not_below():
    assert crossings([(10, 0.0), (20, math.nan), (30, 0.0)], 1.0) == Crossings(10, 30)


def test_fewer_than_ten_thousand_sequences_are_never_below_but_have_final_bits():
    rows = rows_of((1, 8.0), (4_999, 0.0), (4_999, 0.0))
    assert results(rows) == NEVER | {"final_bits": 8 / 9_999}
    assert results([*rows, {"sequences": 10_000, "bits_per_sequence": 0.0}])["stays_below_0_05"] == 10_000


def test_a_record_without_rows_says_nothing():
    assert results([]) == NEVER | {"final_bits": None}


# The closing line


def test_the_closing_line_names_the_window_and_both_results():
    rows = rows_of(*[(1_000, 0.0)] * 20, (1_000, 50.0), *[(1_000, 0.03)] * 20)
    assert convergence.outcome(rows) == (
        "mean of the last 10,000 sequences 0.0300 bits · first below 0.1 bits at 10,000 · stays below from 31,000"
    )


def test_the_closing_line_says_where_it_did_not_last_and_where_it_never_was():
    lost = rows_of(*[(1_000, 0.0)] * 20, (1_000, 50.0))
    assert convergence.outcome(lost).endswith("5.0000 bits · first below 0.1 bits at 10,000 · not below at the end")
    never = rows_of(*[(1_000, 0.5)] * 20)
    assert convergence.outcome(never) == "mean of the last 10,000 sequences 0.5000 bits · never below 0.1 bits"


def test_a_run_shorter_than_the_window_says_so():
    rows = rows_of((4_000, 30.0), (5_000, 12.0))
    words = "mean of all 9,000 sequences 20.0000 bits (shorter than the window of 10,000)"
    assert convergence.outcome(rows) == convergence.final_cost(rows) == words
    assert "no bits/sequence" in convergence.outcome([])


def test_rows_that_do_not_divide_the_window_are_counted_as_they_are():
    rows = rows_of(*[(3_000, 6.0)] * 3, (3_000, 2.0))
    assert convergence.final_cost(rows) == "mean of the last 12,000 sequences 5.0000 bits"


def test_a_task_with_an_optimum_is_judged_by_the_distance_from_it():
    rows = [row | {"optimum_bits": 132.0 + i % 2} for i, row in enumerate(rows_of(*[(1_000, 135.0)] * 20))]
    words = "mean of the last 10,000 sequences 135.0000 bits, 2.5000 above the optimal estimator"
    assert convergence.outcome(rows) == words
