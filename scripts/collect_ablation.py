#!/usr/bin/env python
"""Copy live runs of recipe=stable without one of its parts to results/ablation: scripts/collect_ablation.py [RUNS]

RUNS is the folder of live runs, by default results/runs. The parts, and what is said on the command line to leave one
out, are in ntm_repro.evidence.recipes: `ntm-train recipe=stable task=copy seed=1 optimiser=adam`, say, makes what goes
to results/ablation/steady/copy/ntm/seed1. A run never replaces one that goes further.
"""

from itertools import product
from pathlib import Path

from ntm_repro.cli import exit_codes, recipe_runs, schema
from ntm_repro.errors import RunError, UsageError
from ntm_repro.evidence import recipes, runs

RECIPE = "stable"


def command(argv: list[str]) -> int:
    """The whole command."""
    live_root = Path(argv[0]) if argv else Path("results/runs")
    if not live_root.is_dir():
        raise UsageError(f"{live_root}: no such folder; name the one of live runs")
    try:
        for part, task in product(recipes.PARTS, recipes.TASKS):
            _collect(live_root / schema.recipe_folder(RECIPE) / task / recipes.MODEL, part, task)
    except OSError as error:
        raise RunError(f"{error.filename}: {error.strerror}") from error
    return exit_codes.DONE


def _collect(live_folder: Path, part: str, task: str) -> None:
    change = recipes.PARTS[part].change
    without = recipe_runs.recipe_run(RECIPE, task, recipes.MODEL, 1, change)
    if without.identity == recipe_runs.recipe_run(RECIPE, task, recipes.MODEL, 1).identity:
        return  # the recipe has no such part in this task
    suffix = without.folder.removeprefix("seed1")
    for folder in sorted(live_folder.glob(f"seed*{suffix}")):
        live = runs.read(folder)
        if live is None or folder.name != f"seed{live.seed}{suffix}":
            continue
        target = recipes.part_root(recipe_runs.evidence(schema.PAPER), part) / task / recipes.MODEL / f"seed{live.seed}"
        wanted = recipe_runs.recipe_run(RECIPE, task, recipes.MODEL, live.seed, change)
        recipe_runs.collect(live, wanted, target, str(target), RECIPE)


if __name__ == "__main__":
    exit_codes.run_and_exit("collect_ablation", command)
