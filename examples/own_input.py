"""A trained machine run on one's own input: it copies a text, and its memory at work is drawn.

python examples/own_input.py [RUN] [TEXT] [PICTURE], by default the recorded copy run, "hello, memory" and memory.png
"""

import sys

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ntm_repro import load

START, END = 8, 9  # the flag channels of copy (`ntm_repro/tasks/copy.py`)


def as_input(text: bytes) -> Tensor:
    """x_TBI [2 L + 2, 1, 10]: a start flag, a byte of text a step, an end flag, and as many empty steps."""
    x_TBI = torch.zeros(2 * len(text) + 2, 1, 10)
    bits_LC = np.unpackbits(np.frombuffer(text, np.uint8)[:, None], axis=1, bitorder="little")
    x_TBI[0, 0, START] = x_TBI[len(text) + 1, 0, END] = 1
    x_TBI[1 : len(text) + 1, 0, :8] = torch.from_numpy(bits_LC.astype(np.float32))
    return x_TBI


def as_text(y_TBO: Tensor) -> bytes:
    """What the last half of the outputs spells."""
    answer_LC = (y_TBO[len(y_TBO) // 2 + 1 :, 0, :8] > 0).numpy()
    return np.packbits(answer_LC, axis=1, bitorder="little").tobytes()


def main(run: str = "results/paper/copy/ntm/seed1", text: str = "hello, memory", picture: str = "memory.png") -> str:
    """Copy `text` with the machine of a run's folder, draw its weightings, and return what came out."""
    model, task = load(run)
    x_TBI = as_input(text.encode())
    with torch.no_grad():
        y_TBO, _, trace = model(x_TBI, trace=True)
    answer = as_text(y_TBO).decode(errors="replace")
    print(f"{task.name}: {text!r} -> {answer!r}")

    figure = Figure(figsize=(8, 5), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    weightings = {"write": trace.write_weighting_BWN, "read": trace.read_weighting_BRN}
    for axes, (kind, weighting_TBKN) in zip(panels, weightings.items(), strict=True):
        used = weighting_TBKN[:, 0].amax((0, 1)) > 0.1
        axes.imshow(weighting_TBKN[:, 0, 0, used].T.numpy(), aspect="auto", cmap="gray", vmin=0, vmax=1)
        axes.set(ylabel=f"locations in use\n({kind} weighting)")
    panels[-1].set(xlabel="step")
    figure.savefig(picture)
    print(picture)
    return answer


if __name__ == "__main__":
    main(*sys.argv[1:])
