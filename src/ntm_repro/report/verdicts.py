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
    """One number of the paper's beside ours, as printed on the page; `note` says what ours stands on.

    by: how far ours is from the paper's where it is worse, in words; else empty. meeting: of how many seeds, judged one
    by one, the number is no worse than the paper's, and how many were judged; None where single seeds have no number.
    """

    what: str
    paper: str
    ours: str
    verdict: Verdict
    note: str = ""
    by: str = ""
    meeting: tuple[int, int] | None = None

    @property
    def share(self) -> str:
        """How many of several seeds meet the paper's number, in words; empty for a single one."""
        return f"{self.meeting[0]} of {self.meeting[1]} seeds" if self.meeting and self.meeting[1] > 1 else ""


# A number is better than the paper's by this factor, or it counts as the same.
CLEARLY = 0.8
# The paper's costs are read off its curves: to so many bits, or this share of them. And they are of one run, whose
# points scatter: to so many of their standard deviations. Whichever is most.
READING_BITS, READING_SHARE, DEVIATIONS = 0.05, 0.02, 2.0


def precision(paper: float, deviation: float = 0.0) -> float:
    """To how many bits a cost of the paper's is known; `deviation`: the standard deviation of its point of a curve."""
    return max(READING_BITS, READING_SHARE * paper, DEVIATIONS * deviation)


def of_cost(ours: float, paper: float, deviation: float = 0.0) -> Verdict:
    """Bits per sequence, the fewer the better, to the precision at which the paper's are known."""
    known = precision(paper, deviation)
    if not ours <= paper + known:  # nor what is not a number
        return Verdict.not_met
    return Verdict.better if ours < CLEARLY * paper and ours < paper - known else Verdict.met


def more_bits(ours: float, paper: float) -> str:
    """How far a cost that is not met is from the paper's, in words."""
    return f"{ours - paper:.2f} bits more"


def meeting(verdicts: Sequence[Verdict]) -> tuple[int, int]:
    """How many verdicts on single seeds are no worse than the paper, and how many there are."""
    return sum(verdict in (Verdict.met, Verdict.better) for verdict in verdicts), len(verdicts)


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
