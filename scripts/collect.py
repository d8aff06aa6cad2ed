#!/usr/bin/env python
"""Move live runs of a recipe into its evidence: scripts/collect.py [recipe=stable] [RUNS]

RUNS is the folder of live runs, by default results/runs. The paper's runs go to results/paper, those of recipe=stable
from RUNS/stable to results/stable, and those of another recipe from the folder of its name in RUNS to results/recipes.
Runs with changed settings (their folders' names say so; see collect_ablation.py) and runs of an older version of the
recipe stay out. A run that was stopped halfway becomes partial evidence, which says how far it goes, and never replaces
one that goes further. Of each pair of the paper's and the stable recipe one representative seed's weights are kept.
"""

from itertools import product
from pathlib import Path

from ntm_repro import paper
from ntm_repro.cli import exit_codes, recipe_runs, schema
from ntm_repro.errors import RunError, UsageError
from ntm_repro.evidence import collecting, reliability, runs


def command(argv: list[str]) -> int:
    """The whole command."""
    recipe, rest = recipe_runs.split_recipe(argv)
    live_root = Path(rest[0]) if rest else Path("results/runs")
    if not live_root.is_dir():
        raise UsageError(f"{live_root}: no such folder; name the one of live runs")
    live_root, evidence = live_root / schema.recipe_folder(recipe), recipe_runs.evidence(recipe)
    try:
        for task, model in product(paper.TASKS, paper.MODELS):
            collected = [_collect(live, recipe) for live in runs.find(live_root, task, model)]
            if any(collected) and recipe in reliability.RECIPES:
                kept = collecting.keep_representative_weights(evidence, live_root, task, model)
                print(f"{task}/{model}: weights of {f'seed {kept.seed}' if kept else 'no run at hand'}")
    except OSError as error:
        raise RunError(f"{error.filename}: {error.strerror}") from error
    return exit_codes.DONE


def _collect(live: runs.Run, recipe: str) -> bool:
    name = f"{live.task}/{live.model}/{live.folder.name}"
    wanted = recipe_runs.recipe_run(recipe, live.task, live.model, live.seed)
    return recipe_runs.collect(live, wanted, recipe_runs.evidence(recipe) / name, name, recipe)


if __name__ == "__main__":
    exit_codes.run_and_exit("collect", command)
