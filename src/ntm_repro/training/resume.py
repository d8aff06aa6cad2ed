"""Whether a run begins, resumes or is already finished: decided from its folder before anything is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ntm_repro.errors import UsageError
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import metrics
from ntm_repro.training.checkpoint import Checkpoint
from ntm_repro.training.run_folder import Resume, RunFolder


@dataclass(frozen=True)
class ResumeDecision:
    """checkpoint: where to resume, or None to begin. finished: there is nothing left to do.

    went_back: the checkpoint is the previous one, and the newest one, if it exists, is discarded.
    """

    checkpoint: Checkpoint | None = None
    finished: bool = False
    went_back: bool = False


def decide(  # noqa: PLR0913 — what is known of a run, by keyword
    folder: RunFolder,
    identity: str,
    recorded: str | None,
    difference: str,
    resume: Resume,
    sequences: int,
    first_sequence: int = 0,
    complete: Callable[[str], str] = str,
) -> ResumeDecision:
    """What to do in `folder` for a run of `identity`, wanted for `sequences` sequences.

    first_sequence: how many of those count as seen before it begins.
    recorded: the identity in the folder's config.yaml, or None without one. difference: how the two differ, in words.
    complete: adds to the identity in a checkpoint the defaults of keys that are younger than it.
    Raises `UsageError` where the folder holds another run, or `resume` forbids what would have to be done.
    """
    folder.check_writable()
    where = f"run_dir={folder.path}"
    must = resume in (Resume.must, Resume.previous)
    if folder.is_empty:
        if must:
            raise UsageError(f"resume={resume.name}: nothing to resume in {folder.path}; start with resume=auto")
        return ResumeDecision()
    if resume is Resume.never:
        raise UsageError(f"resume=never: {folder.path} is not empty; choose another run_dir, or remove the folder")
    if recorded is None:
        raise UsageError(f"{where}: holds files but no run (no readable config.yaml); choose another run_dir")
    if recorded != identity:
        raise UsageError(f"{where}: holds another run ({difference}); choose another run_dir, or remove the folder")

    newest, previous = folder.path / checkpoints.NEWEST, folder.path / checkpoints.PREVIOUS
    summary = folder.read_summary()
    # Evidence is kept without checkpoints: a finished record is enough to know that nothing is left to do.
    if resume is not Resume.previous and not newest.exists() and _finished(summary, sequences):
        return ResumeDecision(finished=True)
    path = previous if resume is Resume.previous or not newest.exists() else newest
    if not path.exists():
        if must:
            raise UsageError(f"resume={resume.name}: no {path.name} in {folder.path}; start with resume=auto")
        return ResumeDecision()  # it stopped before its first checkpoint
    checkpoint = checkpoints.load_or_name_previous(path)
    if complete(checkpoint.identity) != identity:
        raise UsageError(f"{path} belongs to another run; remove it, or choose another run_dir")
    finished = checkpoint.sequences >= sequences and _finished(summary, sequences)
    if not finished:
        _check_record(folder, path, checkpoint, first_sequence)
    return ResumeDecision(checkpoint, finished, went_back=path == previous)


def _check_record(folder: RunFolder, path: Path, checkpoint: Checkpoint, first_sequence: int) -> None:
    """Raise `UsageError` if metrics.csv has lost rows: resuming would leave a gap in the record without a message."""
    rows = metrics.read_rows(folder.metrics, up_to=checkpoint.sequences) if folder.metrics.exists() else []
    recorded = int(rows[-1]["sequences"]) if rows else first_sequence
    expected = checkpoint.sequences - checkpoint.window.sequences
    if recorded != expected:
        raise UsageError(
            f"{folder.metrics}: its rows can be read up to {recorded:,} sequences, but {path.name} goes on from "
            f"those up to {expected:,}; put it back as it was, or train again with another run_dir"
        )


def _finished(summary: dict[str, Any] | None, sequences: int) -> bool:
    if summary is None or summary.get("status") != "finished":
        return False
    done = summary.get("sequences")
    return isinstance(done, int) and done >= sequences
