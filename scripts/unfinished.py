#!/usr/bin/env python
"""List the runs that the evidence does not hold finished: scripts/unfinished.py [recipe=stable] TASKS MODELS SEEDS

Each argument is one word or several in quotes. The evidence of the paper's runs is results/paper, that of another
recipe results/<recipe>. Prints one line a run, "task/model/seed<k>" as its folder in results/runs, seeds in the outer
order, so that one seed of everything comes before the second of anything.
"""

from itertools import product

from ntm_repro.cli import exit_codes, recipe_runs, schema
from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs


def command(argv: list[str]) -> int:
    """The whole command."""
    recipe, rest = recipe_runs.split_recipe(argv)
    if len(rest) != 3:
        raise UsageError('give tasks, models and seeds, as in scripts/unfinished.py "copy repeat_copy" ntm "1 2 3"')
    tasks, models, seeds = (argument.split() for argument in rest)
    for seed in seeds:
        if not seed.isdecimal():
            raise UsageError(f"SEEDS={seed}: give whole numbers, as in SEEDS='1 2 3'")
    for seed, task, model in product(seeds, tasks, models):
        wanted = recipe_runs.recipe_run(recipe, task, model, int(seed))
        found = runs.read(recipe_runs.evidence(recipe) / task / model / f"seed{seed}")
        if found is None or not recipe_runs.is_done(found, wanted):
            print(f"{schema.recipe_folder(recipe)}{task}/{model}/seed{seed}")
    return exit_codes.DONE


if __name__ == "__main__":
    exit_codes.run_and_exit("unfinished", command)
