"""Checkpoints: plain tensors and numbers, written atomically, two kept, loaded without ever running code from them."""

import io
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ntm_repro.errors import UsageError
from ntm_repro.files import keep_previous, write_atomically
from ntm_repro.training.metrics import Window

FORMAT = 1
NEWEST, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


@dataclass
class Checkpoint:
    """All that a run needs to go on. Random numbers need no state: they are addressed by sequence number.

    identity: the run's, as canonical JSON. window: the open window of metrics. wall_seconds: spent so far.
    """

    identity: str
    sequences: int
    wall_seconds: float
    window: Window
    model: dict[str, Tensor]
    optimiser: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write checkpoint.pt and keep the one before as checkpoint.previous.pt. Raises `OSError`, both files intact."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **vars(checkpoint), "window": asdict(checkpoint.window)}, buffer)
    incoming = folder / (NEWEST + ".new")
    try:
        # Written in full before the older one gives way: a full disk costs neither.
        write_atomically(incoming, buffer.getvalue())
        if (folder / NEWEST).exists():
            keep_previous(folder / NEWEST, folder / PREVIOUS)
        incoming.replace(folder / NEWEST)
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise


def load(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises `UsageError` for anything that is not a whole checkpoint of ours, executing nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch itself does not compare checksums
        if damaged is not None:
            raise ValueError(f"checksum of {damaged} does not match")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can make the readers raise almost anything
        torn = isinstance(error, zipfile.BadZipFile)
        reason = "is truncated or not a checkpoint" if torn else "is damaged or not safe to load"
        raise UsageError(f"{path} {reason}; refused without running anything from it") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise UsageError(f"{path} is not a checkpoint of ntm-repro")
    if content.pop("format") > FORMAT:
        raise UsageError(f"{path} was written by a newer ntm-repro; update to use it")
    try:
        content["window"] = Window(**content["window"])
        return Checkpoint(**content)
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a checkpoint of ntm-repro") from error


def load_or_name_previous(path: Path) -> Checkpoint:
    """`load`, but where it refuses the newest checkpoint the message names the previous one, if that one is good."""
    try:
        return load(path)
    except UsageError as refusal:
        older = path.with_name(PREVIOUS)
        try:
            good = load(older) if path.name == NEWEST else None
        except UsageError:
            good = None
        if good is None:
            raise
        raise UsageError(
            f"{refusal}; {older.name} is good: resume=previous continues from its {good.sequences:,} sequences"
        ) from refusal
