"""What a run came to, as far as two runs of the same settings must agree in it."""

import csv
import json
from pathlib import Path

import torch

TIMING = {"sequences_per_second", "wall_seconds"}


def rows(folder: Path) -> list[dict[str, str]]:
    """metrics.csv without its two timing columns."""
    with (folder / "metrics.csv").open() as file:
        return [{key: value for key, value in row.items() if key not in TIMING} for row in csv.DictReader(file)]


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def same_weights(one: Path, other: Path) -> bool:
    """And the same state of the optimiser, all to the bit."""
    first, second = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (one, other))
    parts = [{"model": checkpoint["model"], **checkpoint["optimiser"]} for checkpoint in (first, second)]
    assert list(parts[0]) == list(parts[1])
    assert {"model", "square"} < set(parts[0])  # whichever optimiser
    return all(
        parts[0][part].keys() == parts[1][part].keys()
        and all(torch.equal(tensor, parts[1][part][name]) for name, tensor in parts[0][part].items())
        for part in parts[0]
    )
