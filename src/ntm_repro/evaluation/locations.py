"""Which locations of a memory a head uses. The memory is a ring: location 0 comes after the last.

Shape suffixes: T time steps, N memory locations.
"""

import numpy as np


def mean_maximum(weighting_TN: np.ndarray) -> float:
    """Mean over the steps of the largest weight: 1 for a head that is always at a single location."""
    return float(weighting_TN.max(1).mean())


def used_rows(use_N: np.ndarray, least: float = 0.1, margin: int = 1) -> np.ndarray:
    """The shortest run of neighbouring locations that holds all with a use of `least` or more, and `margin` around it.

    use_N: how much each location was used, say its largest weight. The locations come in the order of the ring, so a
    run across the memory's end reads … 126, 127, 0, 1 …; all of them, from 0, where none was used.
    """
    locations = len(use_N)
    used = np.flatnonzero(use_N >= least)
    if not used.size:
        return np.arange(locations)
    # The run begins after the longest stretch without use.
    gaps = (np.roll(used, -1) - used - 1) % locations
    longest = int(gaps.argmax())
    begin = used[(longest + 1) % len(used)]
    length = locations - gaps[longest]
    if length + 2 * margin >= locations:
        return (begin + np.arange(locations)) % locations
    return (begin - margin + np.arange(length + 2 * margin)) % locations


def written_last(weighting_TN: np.ndarray, location: int, before: int, least: float = 0.5) -> int | None:
    """The last step ahead of step `before` that wrote `location` with a weight of `least` or more, or None."""
    steps = np.flatnonzero(weighting_TN[:before, location] >= least)
    return int(steps[-1]) if steps.size else None
