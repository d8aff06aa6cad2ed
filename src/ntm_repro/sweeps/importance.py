"""Which of the settings that a sweep varied mattered: how much of the order of the results each explains by itself."""

import statistics
from collections.abc import Sequence

from ntm_repro.sweeps.comparison import Comparison, Value, shown

FEWEST = 6  # settings with a median, without which a share says nothing
GROUPS = 4  # into which the values of a continuous setting are put, of as many settings each


def of(compared: Comparison) -> list[tuple[str, float]]:
    """(key, share) of what was varied, the largest first; empty where it cannot be told.

    A share is the variance between the groups of equal values over the whole variance (η²), of the ranks of the
    settings' medians: ranks, because costs differ by factors and what diverged is infinitely bad. Shares of settings
    that were varied together, not in all combinations, overlap.
    """
    settings = [setting for setting in compared.settings if setting.known]
    if len(compared.varied) < 2 or len(settings) < FEWEST:
        return []
    ranks = _ranks([setting.median for setting in settings])
    shares = []
    for column, key in enumerate(compared.varied):
        groups = _groups([setting.values[column] for setting in settings], compared.is_number(key))
        if len(set(groups)) > 1 and 2 * len(set(groups)) <= len(settings):
            shares.append((shown(key), share(ranks, groups)))
    return sorted(shares, key=lambda pair: -pair[1])


def share(ranks: Sequence[float], groups: Sequence[Value]) -> float:
    """The variance of the groups' means over that of all.

    >>> share([1, 2, 3, 4], ["a", "a", "b", "b"]), share([1, 2, 1, 2], ["a", "a", "b", "b"])
    (0.8, 0.0)
    """
    middle = statistics.fmean(ranks)
    whole = sum((rank - middle) ** 2 for rank in ranks)
    by_group: dict[Value, list[float]] = {}
    for rank, group in zip(ranks, groups, strict=True):
        by_group.setdefault(group, []).append(rank)
    between = sum(len(members) * (statistics.fmean(members) - middle) ** 2 for members in by_group.values())
    return between / whole if whole else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1 for the smallest; equal values share the mean of theirs."""
    order = sorted(values)
    return [order.index(value) + (order.count(value) + 1) / 2 for value in values]


def _groups(values: Sequence[Value], number: bool) -> list[Value]:
    """Equal values together; of a continuous setting, neighbours."""
    if not number or 2 * len(set(values)) <= len(values):
        return [str(value) for value in values]
    order = sorted(values)
    return [order.index(value) * GROUPS // len(values) for value in values]
