"""What is measured: means over a window of sequences while training, and the record they are kept in."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from ntm_repro.files import write_text

COLUMNS = (
    "sequences",
    "bits_per_sequence",
    "error_bits",
    "grad_norm",
    "grad_norm_max",
    "learning_rate",
    "sequences_per_second",
    "wall_seconds",
)
OPTIMUM_COLUMN = "optimum_bits"  # for tasks with an optimal estimator

Row = dict[str, float]


class Measured(NamedTuple):
    """What is measured of an update: sums over its sequences, and the gradient's norm before it is clipped."""

    bits: float
    wrong: float
    grad_norm: float


@dataclass
class Window:
    """Sums since the last row of metrics.csv. Part of a checkpoint, so that a resumed run writes the same rows."""

    sequences: int = 0
    updates: int = 0
    bits: float = 0.0
    error_bits: float = 0.0
    optimum_bits: float = 0.0
    grad_norm: float = 0.0
    grad_norm_max: float = 0.0
    opened_at: float = 0.0  # wall seconds of the run

    def add(self, sequences: int, bits: float, error_bits: float, optimum_bits: float, grad_norm: float) -> None:
        """Count one update; the bits are sums over its sequences, the gradient's norm is the one before clipping."""
        self.sequences += sequences
        self.updates += 1
        self.bits += bits
        self.error_bits += error_bits
        self.optimum_bits += optimum_bits
        self.grad_norm += grad_norm
        self.grad_norm_max = max(self.grad_norm_max, grad_norm)

    def row(self, sequences: int, learning_rate: float, wall_seconds: float, has_optimum: bool) -> Row:
        """Means over the window, which ends at `sequences`."""
        row = {
            "sequences": sequences,
            "bits_per_sequence": self.bits / self.sequences,
            "error_bits": self.error_bits / self.sequences,
            "grad_norm": self.grad_norm / self.updates,
            "grad_norm_max": self.grad_norm_max,
            "learning_rate": learning_rate,
            "sequences_per_second": self.sequences / max(wall_seconds - self.opened_at, 1e-9),
            "wall_seconds": wall_seconds,
        }
        if has_optimum:
            row[OPTIMUM_COLUMN] = self.optimum_bits / self.sequences
        return row


def read_rows(path: Path, up_to: int | None = None) -> list[Row]:
    """The rows of a metrics.csv, without what a crash tore at its end and without those past `up_to` sequences."""
    rows, _ = rows_and_torn_line(path)
    return rows if up_to is None else first_rows(rows, up_to)


def first_rows(rows: Sequence[Row], up_to: int) -> list[Row]:
    """Those before the first row past `up_to` sequences."""
    return list(takewhile(lambda row: row["sequences"] <= up_to, rows))


def rows_and_torn_line(path: Path) -> tuple[list[Row], int | None]:
    """The whole rows of a file, and the number, from 1, of the first line that is neither a row nor the header.

    None for a whole file. What follows the last line's end is empty, or torn even where it reads as numbers.
    """
    header, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    names = header.split(",")
    rows: list[Row] = []
    if tuple(names) not in (columns(False), columns(True)):
        return rows, 1
    for line in lines[:-1]:
        try:
            row: Row = dict(zip(names, map(float, line.split(",")), strict=True))
            row["sequences"] = int(row["sequences"])
        except (ValueError, OverflowError):
            break
        rows.append(row)
    return rows, None if lines[len(rows) :] in ([], [""]) else len(rows) + 2


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Replace a metrics.csv. Raises `OSError`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def columns(has_optimum: bool) -> tuple[str, ...]:
    """The columns of metrics.csv, in order."""
    return (*COLUMNS, OPTIMUM_COLUMN) if has_optimum else COLUMNS
