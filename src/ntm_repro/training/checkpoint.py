"""Checkpoints: plain tensors and numbers, written atomically, two kept, loaded without ever running code from them."""

import io
import struct
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from ntm_repro.errors import UsageError
from ntm_repro.files import keep_previous, write_atomically
from ntm_repro.training.metrics import Window

FORMAT = 2
NEWEST, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
# A checkpoint is torch's zip archive with its own digest as the archive's comment, which any zip reader skips.
SEAL = b"sha256:"
SEAL_LENGTH = len(SEAL) + 64


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
    optimiser: dict[str, dict[str, Tensor]]

    @property
    def layout(self) -> dict[str, dict[str, tuple[torch.Size, torch.dtype]]]:
        """Shape and type of every tensor by name, the model's and the optimiser's."""
        groups = {"model": self.model, **{f"optimiser.{name}": group for name, group in self.optimiser.items()}}
        return {
            name: {key: (tensor.shape, tensor.dtype) for key, tensor in group.items()} for name, group in groups.items()
        }


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write checkpoint.pt and keep the one before as checkpoint.previous.pt. Raises `OSError`, both files intact."""
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **vars(checkpoint), "window": asdict(checkpoint.window)}, buffer)
    incoming = folder / (NEWEST + ".new")
    try:
        # Written in full before the older one gives way: a full disk costs neither.
        write_atomically(incoming, sealed(buffer.getvalue()))
        if (folder / NEWEST).exists():
            keep_previous(folder / NEWEST, folder / PREVIOUS)
        incoming.replace(folder / NEWEST)
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise


def load(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises `UsageError` for anything that is not a whole checkpoint of ours, executing nothing."""
    try:
        archive = unsealed(path.read_bytes())
        content = torch.load(io.BytesIO(archive), map_location="cpu", weights_only=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except _Broken as error:
        raise UsageError(f"{path} {error}; refused without running anything from it") from error
    except Exception as error:  # what a hostile file makes torch raise could be anything
        raise UsageError(f"{path} is not safe to load; refused without running anything from it") from error
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise UsageError(f"{path} is not a checkpoint of ntm-repro")
    written = content.pop("format")
    if written > FORMAT:
        raise UsageError(f"{path} was written by a newer ntm-repro; update to use it")
    if written < FORMAT:
        raise UsageError(f"{path} was written by an older ntm-repro; train again, with another run_dir")
    try:
        content["window"] = Window(**content["window"])
        checkpoint = Checkpoint(**content)
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a checkpoint of ntm-repro") from error
    if not _is_sound(checkpoint):
        raise UsageError(f"{path} is not a checkpoint of ntm-repro")
    return checkpoint


def _is_sound(checkpoint: Checkpoint) -> bool:
    """Whether every field is of its kind: what follows may count on it."""
    groups = [checkpoint.model, *checkpoint.optimiser.values()] if isinstance(checkpoint.optimiser, dict) else [None]
    amounts = [checkpoint.sequences, checkpoint.wall_seconds, *vars(checkpoint.window).values()]
    return (
        isinstance(checkpoint.identity, str)
        and isinstance(checkpoint.sequences, int)
        and all(type(amount) in (int, float) and amount >= 0 for amount in amounts)
        and all(isinstance(group, dict) and all(map(torch.is_tensor, group.values())) for group in groups)
    )


class _Broken(Exception):
    """Not the bytes that were written."""


def sealed(archive: bytes) -> bytes:
    """A zip archive with its digest as its comment."""
    # The last two bytes of a zip archive without a comment are the comment's length.
    return archive[:-2] + struct.pack("<H", SEAL_LENGTH) + SEAL + sha256(archive).hexdigest().encode()


def unsealed(content: bytes) -> bytes:
    """The archive that was sealed; raises `_Broken` unless every bit is as it was."""
    archive, seal = content[: -SEAL_LENGTH - 2] + b"\0\0", content[-SEAL_LENGTH:]
    if not seal.startswith(SEAL):
        raise _Broken("is truncated or not a checkpoint of ntm-repro")
    if content != sealed(archive):  # torch itself compares no checksums
        raise _Broken("is damaged: its checksum does not match")
    return archive


def go_back(folder: Path) -> None:
    """Make the previous checkpoint the newest too, for a run that goes on from it. Raises `OSError`."""
    keep_previous(folder / PREVIOUS, folder / NEWEST)


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
