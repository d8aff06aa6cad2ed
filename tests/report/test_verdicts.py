"""One rule makes verdicts of numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.report.verdicts import Measure, Verdict, meeting, of_cost, of_count, of_share, together

BETTER, MET, PARTIAL, NOT_MET = Verdict.better, Verdict.met, Verdict.partial, Verdict.not_met


@pytest.mark.parametrize(
    ("ours", "paper", "verdict"),
    [
        (17.4, 17.4, MET),
        (17.74, 17.4, MET),  # within 2 %
        (17.8, 17.4, NOT_MET),
        (13.8, 17.4, BETTER),
        (14.0, 17.4, MET),  # less, but more than 0.8 of it
        (0.0, 0.0, MET),
        (0.05, 0.0, MET),  # as near to it as the curve can be read
        (0.051, 0.0, NOT_MET),
        (0.0, 0.05, MET),
        (0.0, 0.06, BETTER),
        (float("nan"), 1.0, NOT_MET),
    ],
)
def test_costs(ours, paper, verdict):
    assert of_cost(ours, paper) is verdict


def test_a_cost_of_the_papers_is_known_to_two_standard_deviations_of_its_point():
    assert (of_cost(18.0, 17.4, 0.3), of_cost(18.01, 17.4, 0.3)) == (MET, NOT_MET)
    assert (of_cost(0.5, 0.9, 0.1), of_cost(0.5, 0.9, 0.21)) == (BETTER, MET)


def test_seeds_that_meet_a_number_are_counted():
    assert meeting([MET, NOT_MET, BETTER, PARTIAL]) == (2, 4)
    assert Measure("bits", "0", "0", MET, meeting=(2, 4)).share == "2 of 4 seeds"
    assert Measure("bits", "0", "0", MET, meeting=(1, 1)).share == ""
    assert Measure("bits", "0", "0", MET).share == ""


@pytest.mark.parametrize(
    ("ours", "paper", "verdict"),
    [
        (60_000, 60_000, MET),
        (60_001, 60_000, NOT_MET),
        (48_000, 60_000, MET),
        (47_999, 60_000, BETTER),
        (None, 60_000, NOT_MET),
        (10_000, None, BETTER),
        (None, None, MET),
    ],
)
def test_counts_of_sequences(ours, paper, verdict):
    assert of_count(ours, paper) is verdict


def test_shares():
    assert (of_share(0.98, 0.98), of_share(0.979, 0.98)) == (MET, NOT_MET)


@given(st.floats(0, 200), st.floats(0, 200), st.floats(0, 200))
def test_a_lower_cost_is_never_judged_worse(ours, paper, less):
    order = list(Verdict)
    lower = max(0.0, ours - less)
    assert order.index(of_cost(lower, paper)) <= order.index(of_cost(ours, paper))


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([BETTER, BETTER], BETTER),
        ([BETTER, MET], MET),
        ([BETTER, PARTIAL], PARTIAL),
        ([PARTIAL, NOT_MET], NOT_MET),
        ([], PARTIAL),
    ],
)
def test_a_figure_is_as_good_as_its_worst_number(verdicts, whole):
    assert together(verdicts) is whole
