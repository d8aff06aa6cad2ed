"""Pictures of one sequence for TensorBoard, as plain arrays: cheap enough to make in the middle of training.

Shape suffixes: T time steps, C channels, N memory locations, Y pixel rows, X pixel columns, 3 colours.
"""

from collections.abc import Sequence

import numpy as np

PIXELS = 6  # width of an array entry, and its height where that makes no panel taller than TALLEST
TALLEST = 400
GAP = 6  # pixels between panels
BACKGROUND = 255
# A perceptually even ramp from dark to bright (the end points and quarters of matplotlib's viridis).
RAMP = np.array([[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]], np.float32)


def coloured(values_TC: np.ndarray) -> np.ndarray:
    """Values in [0, 1] as rectangles, time to the right and channel 0 at the top: uint8 [Y, X, 3]."""
    height = max(1, min(PIXELS, TALLEST // values_TC.shape[1]))
    position = np.clip(np.nan_to_num(values_TC.T), 0, 1) * (len(RAMP) - 1)
    low = np.minimum(position.astype(int), len(RAMP) - 2)
    colours = RAMP[low] + (position - low)[..., None] * (RAMP[low + 1] - RAMP[low])
    return colours.round().astype(np.uint8).repeat(height, 0).repeat(PIXELS, 1)


def stacked(panels_TC: Sequence[np.ndarray]) -> np.ndarray:
    """Panels of equal length T under one another: uint8 [Y, X, 3]."""
    drawn = [coloured(panel_TC) for panel_TC in panels_TC]
    gap = np.full((GAP, drawn[0].shape[1], 3), BACKGROUND, np.uint8)
    pieces = [piece for panel in drawn for piece in (panel, gap)]
    return np.concatenate(pieces[:-1])
