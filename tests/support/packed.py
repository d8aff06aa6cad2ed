"""How close packed numbers come to those that were packed."""

import numpy as np

from ntm_repro.report.packing import SIGNED, UNIT


def bound(values, packed):
    """Half a code's step at each number (codes are of roots), and the rounding of float32."""
    half = 0.5 / (SIGNED if packed["signed"] else UNIT)
    root = np.sqrt(np.abs(values) / packed["limit"])
    return packed["limit"] * (2 * root * half + half**2 + 1e-6)
