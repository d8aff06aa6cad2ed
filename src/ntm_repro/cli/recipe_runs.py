"""The runs that a recipe asks for, where they are kept, and whether a recorded run is one of them."""

from pathlib import Path
from typing import NamedTuple

from ntm_repro.cli import compose, schema
from ntm_repro.errors import UsageError
from ntm_repro.evidence import collecting, recipes, runs
from ntm_repro.evidence.runs import Run

# Settings of `train` that say from what a run begins.
BEGINNING = ("initial_weights", "initial_weights_sha256", "first_sequence")


class RecipeRun(NamedTuple):
    """What makes the run of a pair and seed what it is, how many sequences it is to see, and its folder's name."""

    identity: str
    sequences: int
    folder: str


def recipe_run(recipe: str, task: str, model: str, seed: int, *changes: str) -> RecipeRun:
    """The recipe's run of this pair, or that with some values changed, as in "model.heads=2".

    Raises `UsageError` for an unknown recipe, task or model.
    """
    (config,), _ = compose.jobs([f"recipe={recipe}", f"task={task}", f"model={model}", f"seed={seed}", *changes])
    identity = schema.canonical(schema.identity(schema.plain(config)))
    return RecipeRun(identity, config.train.sequences, Path(config.run_dir).name)


def is_of(run: Run, wanted: RecipeRun) -> bool:
    """Whether `run` is that run, finished or not, rather than one of other settings.

    It may have gone on from the weights of such a run, whose record it keeps.
    """
    if run.first_sequence and (run.before is None or not is_of(run.before, wanted)):
        return False
    config = run.config
    if run.first_sequence:
        train = {key: value for key, value in config["train"].items() if key not in BEGINNING}
        config = config | {"train": train}
    return schema.canonical(schema.identity(config)) == wanted.identity


def is_done(run: Run, wanted: RecipeRun) -> bool:
    """Whether `run` is that run and as long as it is to be."""
    return run.is_finished and run.sequences >= wanted.sequences and is_of(run, wanted)


def collect(live: Run, wanted: RecipeRun, target: Path, name: str, recipe: str) -> bool:
    """Whether a live run went into the evidence at `target`, and a line that says why.

    It stays out where it is not `wanted`, and never replaces a run that is and goes further. name: by which the line
    says it. Raises `OSError`.
    """
    there = runs.read(target)
    if not is_of(live, wanted):
        print(f"{name}: left out: other settings than the {recipe} recipe has now")
    elif not live.rows:
        print(f"{name}: left out: nothing recorded yet, or still in its first stretch")
    elif there is not None and is_of(there, wanted) and there.sequences >= live.sequences:
        more = collecting.collect_evaluations(live, target) if there.rows == live.rows else []
        print(f"{name}: as it was: {there.sequences:,} sequences{''.join(f', {file} added' for file in more)}")
        return bool(more)
    else:
        collecting.collect(live, target)
        evaluated = "" if live.evaluation else ", not evaluated (ntm-eval)"
        print(f"{name}: {live.sequences:,} of {wanted.sequences:,} sequences{evaluated}")
        return True
    return False


def evidence(recipe: str) -> Path:
    """The folder of a recipe's evidence."""
    return recipes.recipe_root(Path("results", schema.PAPER), recipe)


def split_recipe(argv: list[str]) -> tuple[str, list[str]]:
    """The recipe that `recipe=NAME` among the words names, by default the paper's, and the other words."""
    named = [word.partition("=")[2] for word in argv if word.startswith("recipe=")]
    recipe = named[-1] if named else schema.PAPER
    if recipe not in compose.options("recipe"):
        raise UsageError(f"recipe={recipe}: unknown; choose {' or '.join(compose.options('recipe'))}")
    return recipe, [word for word in argv if not word.startswith("recipe=")]
