"""The runs that the reproduction asks for, at the paper's sizes, and whether a recorded one is one of them."""

from typing import NamedTuple

from ntm_repro.cli import compose, schema
from ntm_repro.evidence.runs import Run


class PaperRun(NamedTuple):
    """What makes the run of a pair and seed what it is, and how many sequences it is to see."""

    identity: str
    sequences: int


def paper_run(task: str, model: str, seed: int) -> PaperRun:
    """The paper's run of this pair; raises `UsageError` for an unknown task or model."""
    (config,), _ = compose.jobs([f"task={task}", f"model={model}", f"seed={seed}"])
    return PaperRun(schema.canonical(schema.identity(schema.plain(config))), config.train.sequences)


def is_of(run: Run, planned: PaperRun) -> bool:
    """Whether `run` is that run, finished or not, rather than one of another recipe."""
    return schema.canonical(schema.identity(run.summary["config"])) == planned.identity


def is_done(run: Run, planned: PaperRun) -> bool:
    """Whether `run` is that run and as long as it is to be."""
    return run.is_finished and run.sequences >= planned.sequences and is_of(run, planned)
