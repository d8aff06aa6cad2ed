"""What a sequence of associative recall asks for, read off its inputs.

Shape suffixes: T time steps, I input channels.
"""

import numpy as np

from ntm_repro.tasks.associative_recall import ITEM, QUERY, VECTORS


def items_and_query(input_TI: np.ndarray) -> tuple[list[int], int, int]:
    """The steps of the items' flags, the step of the query's first flag, and which item (from 0) it shows."""
    items = np.flatnonzero(input_TI[:, ITEM]).tolist()
    query = int(np.flatnonzero(input_TI[:, QUERY])[0])

    def vectors(flag: int) -> np.ndarray:
        return input_TI[flag + 1 : flag + 1 + VECTORS, :ITEM]

    queried = next(number for number, flag in enumerate(items) if (vectors(flag) == vectors(query)).all())
    return items, query, queried
