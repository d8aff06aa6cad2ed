#!/usr/bin/env python
"""List the runs that the evidence does not hold finished: scripts/unfinished.py TASKS MODELS SEEDS

Each argument is one word or several in quotes. Prints one line a run, "task/model/seed<k>", seeds in the outer order,
so that one seed of everything comes before the second of anything.
"""

from itertools import product
from pathlib import Path

from ntm_repro.cli import exit_codes, paper_runs
from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs

EVIDENCE = Path("results/paper")


def command(argv: list[str]) -> int:
    """The whole command."""
    if len(argv) != 3:
        raise UsageError('give tasks, models and seeds, as in scripts/unfinished.py "copy repeat_copy" ntm "1 2 3"')
    tasks, models, seeds = (argument.split() for argument in argv)
    for seed in seeds:
        if not seed.isdecimal():
            raise UsageError(f"SEEDS={seed}: give whole numbers, as in SEEDS='1 2 3'")
    for seed, task, model in product(seeds, tasks, models):
        wanted = paper_runs.paper_run(task, model, int(seed))
        found = runs.read(EVIDENCE / task / model / f"seed{seed}")
        if found is None or not paper_runs.is_done(found, wanted):
            print(f"{task}/{model}/seed{seed}")
    return exit_codes.DONE


if __name__ == "__main__":
    exit_codes.run_and_exit("unfinished", command)
