"""Is a number of the paper's reached? One rule for all numbers, stated on the page."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """From best to worst; `partial` is a number that no finished run gives yet, or a figure that lacks some."""

    better = "better"
    met = "met"
    partial = "partial"
    not_met = "not met"


class Measure(NamedTuple):
    """One number of the paper's beside ours, as printed on the page; `note` says what ours stands on."""

    what: str
    paper: str
    ours: str
    verdict: Verdict
    note: str = ""


# A number is better than the paper's by this factor, or it counts as the same.
CLEARLY = 0.8
# The paper's costs are read off its curves: to so many bits, or this share of them, whichever is more.
READING_BITS, READING_SHARE = 0.05, 0.02


def of_cost(ours: float, paper: float) -> Verdict:
    """Bits per sequence, the fewer the better, to the precision at which the paper's can be read."""
    reading = max(READING_BITS, READING_SHARE * paper)
    if not ours <= paper + reading:  # nor what is not a number
        return Verdict.not_met
    return Verdict.better if ours < CLEARLY * paper and ours < paper - reading else Verdict.met


def of_count(ours: float | None, paper: float | None) -> Verdict:
    """Sequences until something holds, the fewer the better; None: never."""
    if ours is None:
        return Verdict.not_met if paper is not None else Verdict.met
    if paper is None:
        return Verdict.better
    if ours > paper:
        return Verdict.not_met
    return Verdict.better if ours < CLEARLY * paper else Verdict.met


def of_share(ours: float, least: float) -> Verdict:
    """A share that is to be no less than `least`."""
    return Verdict.met if ours >= least else Verdict.not_met


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Of a figure: not met if any number is not, else partial if any is missing, better if all are, else met."""
    for verdict in (Verdict.not_met, Verdict.partial):
        if not verdicts or verdict in verdicts:
            return Verdict.partial if not verdicts else verdict
    return Verdict.better if set(verdicts) == {Verdict.better} else Verdict.met
