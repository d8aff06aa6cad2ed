"""The Neural Turing Machine with a feedforward controller (paper section 4, Table 1)."""

from dataclasses import dataclass
from typing import Any

from ntm_repro.models import ntm
from ntm_repro.models.ntm import ControllerKind, ReadOrder, build

__all__ = ["Settings", "build"]

LABEL, COLOUR = "NTM, feedforward controller", "#d55e00"  # in figures (Okabe and Ito\'s colours)


@dataclass
class Settings(ntm.Settings):
    """Those of an NTM, and the initial biases of the controller.

    hidden_bias: the standard deviation of the hidden units' initial biases.

    This controller learns associative recall and repeat copy sooner if it reads first, and if its units differ even
    where nothing comes in, as after a query (LOG.md).
    """

    name: str = "ntm_ff"
    read_order: ReadOrder = ReadOrder.before
    hidden_bias: float = 0.0

    def arguments(self) -> dict[str, Any]:
        """The same as keyword arguments of `NTM`."""
        return super().arguments() | {"controller": ControllerKind.feedforward, "hidden_bias": self.hidden_bias}
