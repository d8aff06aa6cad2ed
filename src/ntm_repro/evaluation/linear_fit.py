"""A line through points whose ordinate lives on a ring: is the location a linear function of the priority? (Figure 17)

Shape suffixes: P points, G slopes tried; T steps, W write heads, N locations.
"""

from typing import NamedTuple

import numpy as np

FINEST = 0.1  # rows by which the lines of two neighbouring slopes differ at most, over the whole range of abscissae


class Line(NamedTuple):
    """row = slope · x + intercept, modulo `locations`.

    fitted_P: the line at the points, in [0, locations). residual_P: how far the points lie from it, the shorter way
    around, in rows. r_squared: the share of the rows' variance that the line explains (0 where they do not vary).
    """

    slope: float
    intercept: float
    locations: int
    fitted_P: np.ndarray
    residual_P: np.ndarray
    r_squared: float

    def share_within(self, rows: float) -> float:
        """Share of the points no further than `rows` from the line."""
        return float((np.abs(self.residual_P) <= rows).mean())


def circular_difference(a: np.ndarray, b: np.ndarray, locations: int) -> np.ndarray:
    """a − b on the ring, the shorter way around: in [−locations/2, locations/2)."""
    return (np.asarray(a) - b + locations / 2) % locations - locations / 2


def fit(x_P: np.ndarray, row_P: np.ndarray, locations: int) -> Line:
    """The line around the ring that lies closest to the points; it goes round no more than once over the range of x.

    Of slopes on a fine grid, that is taken for which the rows less the line agree best (as directions on the ring: the
    longest mean vector). The rows are then unrolled along that line and the usual least squares do the rest.
    """
    x_P, row_P = np.asarray(x_P, float), np.asarray(row_P, float)
    span = float(np.ptp(x_P))
    if span == 0:
        raise ValueError("a line needs points at two places or more")
    steps = int(np.ceil(locations / FINEST))
    slope_G = np.arange(-steps, steps + 1) * (locations / steps / span)
    direction_GP = np.exp(2j * np.pi / locations * (row_P - slope_G[:, None] * x_P))
    mean_G = direction_GP.mean(1)
    best = int(np.abs(mean_G).argmax())
    near_P = slope_G[best] * x_P + np.angle(mean_G[best]) * locations / (2 * np.pi)

    unrolled_P = near_P + circular_difference(row_P, near_P, locations)
    centred_P = x_P - x_P.mean()
    slope = float(centred_P @ unrolled_P / (centred_P @ centred_P))
    intercept = float(unrolled_P.mean() - slope * x_P.mean())
    line_P = slope * x_P + intercept
    residual_P = circular_difference(row_P, line_P, locations)
    variance = float(((unrolled_P - unrolled_P.mean()) ** 2).sum())
    # Rows that differ by rounding alone do not vary.
    explained = 1 - float((residual_P**2).sum()) / variance if variance > 1e-9 * len(x_P) else 0.0
    return Line(slope, intercept, locations, line_P % locations, residual_P, explained)


def straightest(weighting_TWN: np.ndarray, x_T: np.ndarray) -> tuple[int, Line]:
    """The write head of whose locations (the largest weights) a line in x explains most, by number, and that line."""
    locations = weighting_TWN.shape[2]
    lines = [fit(x_T, weighting_TWN[:, head].argmax(1), locations) for head in range(weighting_TWN.shape[1])]
    best = int(np.argmax([line.r_squared for line in lines]))
    return best, lines[best]
