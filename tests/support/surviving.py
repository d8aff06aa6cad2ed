"""The run of the fault campaign, and what it means to have survived a fault."""

from pathlib import Path

import torch
from support.helpers import TINY
from support.run_results import TIMING, rows, same_weights, summary
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ntm_repro.training import checkpoint, metrics

SEQUENCES, LOG_EVERY, CHECKPOINT_EVERY = 400, 10, 30
WORDS = (
    "train",
    "run_dir=out",
    f"train.sequences={SEQUENCES}",
    f"train.log_every={LOG_EVERY}",
    f"train.checkpoint_every={CHECKPOINT_EVERY}",
    *TINY,
)


def check_so_far(folder: Path, straight: Path) -> None:
    """What a fault left can be read, and is a part of the undisturbed run's record."""
    if (folder / "metrics.csv").exists():
        found, whole = (metrics.read_rows(place / "metrics.csv") for place in (folder, straight))
        names = [name for name in metrics.COLUMNS if name not in TIMING]
        assert [[row[name] for name in names] for row in found] == [
            [row[name] for name in names] for row in whole[: len(found)]
        ]
    for name in (checkpoint.NEWEST, checkpoint.PREVIOUS):
        if (folder / name).exists():
            checkpoint.load(folder / name)


def check_same(folder: Path, straight: Path) -> None:
    """The finished run in `folder` is the undisturbed one: record, weights, optimiser, curves; nothing is left over."""
    assert rows(folder) == rows(straight)
    assert same_weights(folder, straight)
    assert (folder / "weights.safetensors").read_bytes() == (straight / "weights.safetensors").read_bytes()
    header, *lines = (folder / "metrics.csv").read_text().splitlines(keepends=True)
    assert all(line.endswith("\n") and line.count(",") == header.count(",") for line in lines)
    assert [int(line.partition(",")[0]) for line in lines] == list(range(LOG_EVERY, SEQUENCES + 1, LOG_EVERY))
    assert summary(folder)["status"] == "finished"
    assert not [path for path in folder.iterdir() if path.name.endswith((".tmp", ".new"))]
    for place in (folder, straight):
        previous = torch.load(place / "checkpoint.previous.pt", weights_only=True)
        assert previous["sequences"] < SEQUENCES


def check_curves(folder: Path) -> None:
    """TensorBoard shows every point once and in order."""
    board = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    steps = [event.step for event in board.Scalars("bits_per_sequence")]
    assert steps == list(range(LOG_EVERY, SEQUENCES + 1, LOG_EVERY))


def check_refused(done, *words: str) -> None:
    """Exit code 2 and one line that says `words`."""
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
