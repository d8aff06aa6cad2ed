"""The runs that the reproduction asks for, at the paper's sizes, and whether a recorded one is one of them."""

from typing import NamedTuple

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ntm_repro.cli import compose, schema
from ntm_repro.errors import UsageError
from ntm_repro.evidence.runs import Run


class PaperRun(NamedTuple):
    """What makes the run of a pair and seed what it is, and how many sequences it is to see."""

    identity: str
    sequences: int


def paper_run(task: str, model: str, seed: int) -> PaperRun:
    """The paper's run of this pair; raises `UsageError` for an unknown task or model."""
    compose.register()
    jobs, _ = compose.jobs([f"task={task}", f"model={model}", f"seed={seed}"])
    assert jobs is not None
    (config,) = jobs
    return PaperRun(schema.canonical(schema.identity(schema.plain(config))), config.train.sequences)


def is_of(run: Run, wanted: PaperRun) -> bool:
    """Whether `run` is that run, finished or not, rather than one of another recipe.

    A key that was added since it was recorded counts as having had its default value, which is how it was before.
    """
    try:
        recorded = schema.typed(OmegaConf.create(run.summary["config"]))
    except (UsageError, OmegaConfBaseException):  # a recipe of keys that are gone
        return False
    return schema.canonical(schema.identity(schema.plain(recorded))) == wanted.identity


def is_done(run: Run, wanted: PaperRun) -> bool:
    """Whether `run` is that run and as long as it is to be."""
    return run.is_finished and run.sequences >= wanted.sequences and is_of(run, wanted)
