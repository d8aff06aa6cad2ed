"""The memory and the weightings before the first step (paper: memory "reset to bias values"; weightings unsaid).

A memory that is fixed is a parameter that asks for no gradient: it is saved with the others, and no optimiser moves it.

Shape suffixes: B sequences of the batch, K heads (reading ones first), N memory locations, M width of a location.
"""

import math
from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ntm_repro.models import initialisation

# Logits of w_0 drawn this wide make some locations several times as likely as others: heads need a place to begin.
LOGIT_DEVIATION = 1.0
# softplus(5) ≈ 5 per location: a head begins with 99 % of its weight on location 0.
FOCUS = 5.0

# Of a memory that begins constant (Collier & Beel, "Implementing Neural Turing Machines", 2018, section 3.1).
CONSTANT = 1e-6

Start = Enum("Start", "per_location shared random constant")


class PerLocationStart(nn.Module):
    """M_0 and w_0 learned entry by entry: N·M + K·N parameters. For more locations later: `with_more_locations`."""

    def __init__(self, num_heads: int, num_locations: int, width: int) -> None:
        super().__init__()
        self.memory_NM = nn.Parameter(torch.zeros(num_locations, width))
        self.logits_KN = nn.Parameter(torch.zeros(num_heads, num_locations))

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw memory and logits anew."""
        initialisation.draw(self.memory_NM, generator)
        initialisation.draw(self.logits_KN, generator, LOGIT_DEVIATION)

    @property
    def memory(self) -> nn.Parameter:
        """What M_0 is made of."""
        return self.memory_NM

    def forward(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """memory_BNM and weighting_BKN."""
        weighting_KN = self.logits_KN.softmax(-1)
        return self.memory_NM.expand(batch_size, -1, -1), weighting_KN.expand(batch_size, -1, -1)


class SharedStart(nn.Module):
    """One learned vector in every location, and w_0(i) ∝ exp(−ρ i) with a learned rate ρ > 0 a head: M + K parameters.

    "The number of parameters does not increase with the number of memory locations" (paper, section 4.6): a trained
    model may be given more locations. The weighting breaks the symmetry that equal locations leave.
    """

    def __init__(self, num_heads: int, num_locations: int, width: int) -> None:
        super().__init__()
        self.num_locations = num_locations
        self.memory_M = nn.Parameter(torch.zeros(width))
        self.rate_K = nn.Parameter(torch.zeros(num_heads))

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the vector anew; every head begins at location 0."""
        initialisation.draw(self.memory_M, generator)
        self.rate_K.fill_(FOCUS)

    @property
    def memory(self) -> nn.Parameter:
        """What M_0 is made of."""
        return self.memory_M

    def forward(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """memory_BNM and weighting_BKN."""
        position_N = torch.arange(self.num_locations, device=self.rate_K.device, dtype=self.rate_K.dtype)
        weighting_KN = (-softplus(self.rate_K)[:, None] * position_N).softmax(-1)
        memory_NM = self.memory_M.expand(self.num_locations, -1)
        return memory_NM.expand(batch_size, -1, -1), weighting_KN.expand(batch_size, -1, -1)


class RandomStart(nn.Module):
    """M_0 random and fixed, and w_0 = 0, so that heads begin by content alone: nothing to learn.

    As in github.com/loudinthecloud/pytorch-ntm (`ntm/memory.py`, `ntm/head.py`): uniform on ±1/√(N + M), drawn with the
    initial weights. What is not in w_0, eqs 7-9 make up for: sharpening divides by the sum.
    """

    def __init__(self, num_heads: int, num_locations: int, width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.memory_NM = nn.Parameter(torch.zeros(num_locations, width), requires_grad=False)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the memory anew."""
        bound = 1 / math.sqrt(sum(self.memory_NM.shape))
        # On the CPU and in float32 whatever its own place and type: the same numbers everywhere.
        shares = torch.rand(self.memory_NM.shape, generator=generator, dtype=torch.float32, device="cpu")
        self.memory_NM.copy_((2 * shares - 1) * bound)

    @property
    def memory(self) -> nn.Parameter:
        """M_0."""
        return self.memory_NM

    def forward(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """memory_BNM and weighting_BKN."""
        weighting_BKN = self.memory_NM.new_zeros(batch_size, self.num_heads, len(self.memory_NM))
        return self.memory_NM.expand(batch_size, -1, -1), weighting_BKN


class ConstantStart(nn.Module):
    """M_0 = 10⁻⁶ everywhere, fixed; w_0 learned entry by entry from nearly uniform: K·N parameters.

    As Collier & Beel (2018, section 3.1) recommend. In their code w_0 is the softmax of logits with a standard
    deviation of √(2 / (1 + N)) (github.com/MarkPKCollier/NeuralTuringMachine, `ntm.py`, `utils.py`).
    """

    def __init__(self, num_heads: int, num_locations: int, width: int) -> None:
        super().__init__()
        self.memory_NM = nn.Parameter(torch.full((num_locations, width), CONSTANT), requires_grad=False)
        self.logits_KN = nn.Parameter(torch.zeros(num_heads, num_locations))

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the logits anew."""
        self.memory_NM.fill_(CONSTANT)
        initialisation.draw(self.logits_KN, generator, math.sqrt(2 / (1 + len(self.memory_NM))))

    @property
    def memory(self) -> nn.Parameter:
        """M_0."""
        return self.memory_NM

    def forward(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """memory_BNM and weighting_BKN."""
        weighting_KN = self.logits_KN.softmax(-1)
        return self.memory_NM.expand(batch_size, -1, -1), weighting_KN.expand(batch_size, -1, -1)


# Logits below all others by this much: a share of 1e-13 of a weighting.
UNUSED = 30.0


def with_more_locations(tensors: dict[str, Tensor], num_locations: int) -> dict[str, Tensor]:
    """The parameters of a model whose locations begin one by one, by name, for more of them than it was trained with.

    start.memory_NM grows to [num_locations, M], start.logits_KN to [K, num_locations]. The further ones come after the
    others on the ring. They begin as the mean of the learned rows, which is no row in particular, and no head begins
    there. Other parameters are as they were, all of them where nothing depends on N.
    """
    memory_NM, logits_KN = tensors.get("start.memory_NM"), tensors.get("start.logits_KN")
    if memory_NM is None or logits_KN is None or num_locations <= len(memory_NM):
        return tensors
    further = num_locations - len(memory_NM)
    memory_NM = torch.cat([memory_NM, memory_NM.mean(0).expand(further, -1)])
    lowest_K1 = logits_KN.min(1, keepdim=True).values - UNUSED
    logits_KN = torch.cat([logits_KN, lowest_K1.expand(-1, further)], 1)
    return tensors | {"start.memory_NM": memory_NM, "start.logits_KN": logits_KN}


STARTS = {
    Start.per_location: PerLocationStart,
    Start.shared: SharedStart,
    Start.random: RandomStart,
    Start.constant: ConstantStart,
}
