"""The numbers of the learning curves (Figures 3, 7, 10, 13, 18): how soon a task is solved, and its cost at the end."""

import statistics
from collections.abc import Sequence

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence
from ntm_repro.evidence.runs import Run
from ntm_repro.evidence.windows import WINDOW
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.verdicts import Measure, Verdict, of_cost, of_count


def measures(sources: RunStore, task: str) -> list[Measure]:
    """For each model: when the mean of 10,000 sequences is first below a threshold, and the last such mean."""
    found: list[Measure] = []
    for model in paper.MODELS:
        runs = sources.runs(task, model)
        if task in paper.LEARNED:
            found.append(_soon(task, model, runs))
        found.append(last(task, model, runs))
    return found


def _soon(task: str, model: str, runs: Sequence[Run]) -> Measure:
    level = paper.LEARNED[task]
    threshold = paper.THRESHOLDS[task][level]
    what = f"{paper.MODELS[model]}: sequences to below {threshold:g} bits"
    printed = convergence.of_paper(task, model).reached[level]
    told = "never" if printed is None else f"{printed:,}"
    if not runs:
        return Measure(what, told, "–", Verdict.partial, "not run")
    reached = [convergence.of_rows(task, run.rows).reached[level] for run in runs]
    # A run that is not there yet, and not at its end, may still get there.
    settled = [
        run.is_finished or run.has_diverged or count is not None for run, count in zip(runs, reached, strict=True)
    ]
    middle = convergence.middle(reached)
    verdict = of_count(middle, printed) if all(settled) else Verdict.partial
    ours = "never" if middle is None and all(settled) else "not yet" if middle is None else f"{middle:,.0f}"
    share = sum(count is not None for count in reached)
    return Measure(what, told, ours, verdict, f"{_seeds(runs)}; {share} of {len(runs)} did")


def last(task: str, model: str, runs: Sequence[Run]) -> Measure:
    """What a pair costs at the end of the paper's learning curves, or so far."""
    above = " above the optimum" if tasks.find(task).has_optimum else ""
    what = f"{paper.MODELS[model]}: bits{above} after {paper.sequences(task):,} sequences"
    printed = _end_of_paper(task, model)
    finished = [run for run in runs if run.is_finished]
    if not finished:
        longest = max(runs, key=lambda run: run.sequences, default=None)
        if longest is None:
            return Measure(what, f"{printed:.2f}", "–", Verdict.partial, "not run")
        so_far = convergence.of_rows(task, longest.rows).final
        ours = "–" if so_far is None else f"{so_far:.2f} so far"
        return Measure(what, f"{printed:.2f}", ours, Verdict.partial, longest.progress)
    costs = [_end(task, run) for run in finished]
    ours_now = statistics.median(costs)
    spread = f", {min(costs):.2f} to {max(costs):.2f}" if len(costs) > 1 else ""
    return Measure(what, f"{printed:.2f}", f"{ours_now:.2f}", of_cost(ours_now, printed), _seeds(finished) + spread)


def _end(task: str, run: Run) -> float:
    """The mean of the run's last 10,000 sequences; for N-grams of 100,000, as for the paper's curve."""
    width = paper.WINDOWS_AT_END.get(task, 1) * WINDOW
    rows = [row for row in convergence.costs(task, run.rows) if row["sequences"] > run.sequences - width]
    return statistics.fmean(row["bits_per_sequence"] for row in rows)


def _end_of_paper(task: str, model: str) -> float:
    points = convergence.paper_means(task, model)[-paper.WINDOWS_AT_END.get(task, 1) :]
    return statistics.fmean(mean for _, mean in points)


def _seeds(runs: Sequence[Run]) -> str:
    return f"median of {len(runs)} seeds" if len(runs) > 1 else f"seed {runs[0].seed}"
