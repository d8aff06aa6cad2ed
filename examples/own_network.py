"""The core inside a network of one's own: which of the symbols seen comes next in the list?

A list of random symbols is shown, then one of them again; the network names the symbol that came after it. A network
around an NTM learns it with torch's own Adam: python examples/own_network.py [UPDATES]
"""

import sys

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ntm_repro import NTM

SYMBOLS, LENGTH, BATCH = 8, 3, 16


class Recaller(nn.Module):
    """Symbols [T, B] in, logits [B, symbols] of the answer out."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, 12)
        self.core = NTM(input_size=12, output_size=24, hidden_size=32, num_locations=16, width=12)
        self.head = nn.Linear(24, SYMBOLS)

    def forward(self, symbols_TB: Tensor) -> Tensor:
        y_TBO, _ = self.core(self.embed(symbols_TB))
        return self.head(y_TBO[-1])


def draw(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch: distinct symbols, one of them again [T, B]; and the symbol that followed it [B]."""
    order_BS = torch.rand(BATCH, SYMBOLS, generator=generator).argsort(1)[:, :LENGTH]
    query_B = torch.randint(0, LENGTH - 1, (BATCH,), generator=generator)
    rows = torch.arange(BATCH)
    return torch.cat([order_BS, order_BS[rows, query_B, None]], 1).T, order_BS[rows, query_B + 1]


def main(updates: int = 500) -> float:
    """Train, and return the share of right answers over the last 100 updates."""
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(1)
    network = Recaller()
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    right = []
    for update in range(1, updates + 1):
        symbols_TB, answer_B = draw(generator)
        logits_BS = network(symbols_TB)
        loss = cross_entropy(logits_BS, answer_B)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 10)
        optimiser.step()
        right.append((logits_BS.argmax(1) == answer_B).float().mean().item())
        if update % 100 == 0:
            print(f"{update:>6} updates  {sum(right[-100:]) / 100:.2f} right", flush=True)
    return sum(right[-100:]) / 100


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
