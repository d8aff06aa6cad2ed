"""Calls from Python of functions that were compiled before, without detours."""

from collections.abc import Callable
from typing import Any

import numba


class Compiled:
    """An entry for arguments of certain types.

    run: calls it from Python, without a look at the types of the arguments. Numba's own look at a namedtuple of fifty
    fields takes as long as ten steps of an LSTM, and again each time.
    """

    def __init__(self, function: Any, *arguments: Any) -> None:
        """The machine code of `function`, an entry of `cache`, for arguments like these."""
        argument_types = tuple(map(numba.typeof, arguments))
        function.compile(argument_types)
        result = function.overloads[argument_types]
        self.run: Callable[..., Any] = result.entry_point
        self._result = result  # the code lives as long as this
