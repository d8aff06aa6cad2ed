#!/usr/bin/env python
"""Draw the README's picture from finished runs of `make train`'s command: scripts/draw_first_run.py OUT RUN [RUN …]

Above, the learning curve of every run beside the paper's (Figure 3). Below, what the first run's NTM does with a
sequence of length 20: what it is told, what it answers, and where its heads write and read (paper, Figure 6).
"""

import csv
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from ntm_repro.cli import recorded
from ntm_repro.evaluation.locations import used_rows
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.training.loop import to_tensors
from ntm_repro.training.metrics import read_rows
from ntm_repro.training.run_folder import RunFolder

PAPER = Path(__file__).resolve().parents[1] / "paper_curves/fig3_NTM-LSTM.csv"
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")  # Okabe and Ito's, safe for colour-blind readers
LENGTH = 20
LOCATIONS = 32  # rows of the memory shown around the locations in use


def main() -> None:
    """Command line."""
    out, *folders = map(Path, sys.argv[1:])
    figure = plt.figure(figsize=(9, 8.4), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.5))
    curves(above.subplots(), folders)
    sequence(below, folders[0])
    figure.savefig(out, dpi=110)


def curves(axes: plt.Axes, folders: list[Path]) -> None:
    """Bits per sequence over the sequences trained on, every run and the paper's."""
    for colour, folder in zip(COLOURS, folders, strict=False):
        rows = read_rows(folder / "metrics.csv")
        seed = RunFolder(folder).read_summary()["seed"]
        middle = [row["sequences"] / 1000 - 0.5 for row in rows]
        axes.plot(middle, [row["bits_per_sequence"] for row in rows], color=colour, label=f"ours, seed {seed}")
    with PAPER.open() as file:
        paper = [(float(row["seq_thousands"]), float(row["bits_per_sequence"])) for row in csv.DictReader(file)]
    shown = [point for point in paper if point[0] <= axes.get_xlim()[1] + 5]
    axes.plot(
        *zip(*shown, strict=True),
        "k--",
        marker="o",
        markersize=4,
        label="paper, Figure 3 (means over 10,000; its axis ends at 10)",
    )
    axes.set(xlim=(0, None), ylim=(0, 90), xlabel="thousand sequences", ylabel="bits per sequence")
    axes.set_title("Copy, NTM with LSTM controller: means over 1,000 training sequences", fontsize=10, loc="left")
    axes.axhline(84, color="0.75", linewidth=1)
    axes.annotate("coin flips", (0.995, 84), xycoords=("axes fraction", "data"), ha="right", va="bottom", color="0.5")
    axes.legend(frameon=False, loc="center right")
    axes.spines[["top", "right"]].set_visible(False)


def sequence(figure: plt.Figure, folder: Path) -> None:
    """One sequence through the trained model."""
    config, task, kernel, _ = recorded.load(folder, recorded.read_config(folder))
    batch = task.draw(Stream(config.seed, Purpose.EXAMPLE), 0, 1, LENGTH)
    with torch.no_grad():
        unrolled = kernel.unroll(to_tensors(batch, torch.device("cpu"))[0], trace=True)
    output = (unrolled.y_TBO[:, 0].sigmoid().numpy() * batch.mask_TO).T
    write = unrolled.trace.write_weighting_BWN[:, 0, 0].numpy().T
    read = unrolled.trace.read_weighting_BRN[:, 0, 0].numpy().T
    begin = used_rows(write.max(1) + read.max(1), least=0.5, margin=0)[0]
    rows = [(begin + offset) % write.shape[0] for offset in range(LOCATIONS)]

    panels = {
        "input": batch.input_TBI[:, 0].T,
        "target": batch.target_TBO[:, 0, :8].T,
        "output": output[:8],
        "write weighting": write[rows],
        "read weighting": read[rows],
    }
    all_axes = figure.subplots(len(panels), 1, sharex=True, height_ratios=[len(panel) for panel in panels.values()])
    for axes, (name, panel) in zip(all_axes, panels.items(), strict=True):
        picture = axes.imshow(panel, aspect="auto", vmin=0, vmax=1, cmap="viridis", interpolation="none")
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        axes.set_yticks([])
    all_axes[-1].set_xlabel("step")
    figure.colorbar(picture, ax=list(all_axes), fraction=0.02, pad=0.01)


if __name__ == "__main__":
    main()
