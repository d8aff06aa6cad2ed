"""The numbers of the learning curves (Figures 3, 7, 10, 13, 18): how soon a task is solved, and its cost at the end."""

import statistics
from collections.abc import Sequence

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, run_settings
from ntm_repro.evidence.convergence import Convergence
from ntm_repro.evidence.run_settings import Pair
from ntm_repro.evidence.runs import Run
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.verdicts import Measure, Verdict, meeting, more_bits, of_cost, of_count


def measures(sources: RunStore, task: str) -> list[Measure]:
    """For each model: when the mean of 10,000 sequences is first below a threshold, and the cost at the end."""
    of_models: list[Measure] = []
    for model in paper.MODELS:
        runs = sources.runs(task, model)
        of_models += [soon(task, model, runs), last(task, model, runs)]
    return of_models


def soon(task: str, model: str, runs: Sequence[Run]) -> Measure:
    """After how many sequences the task is learned: the mean is first below its threshold."""
    level = paper.LEARNED[task]
    threshold = paper.THRESHOLDS[task][level]
    above = " above the optimum" if tasks.find(task).has_optimum else ""
    what = f"{paper.MODELS[model]}: first below {threshold:g} bits{above}, sequences"
    printed = convergence.of_paper(task, model).crossings[level].first_below
    paper_count = "never" if printed is None else f"{printed:,}"
    if not runs:
        return Measure(what, paper_count, "–", Verdict.partial, "not run")
    convergences = [convergence.of_run(run) for run in runs]
    reached = [ours.crossings[level].first_below for ours in convergences]
    # A run that is not there yet, and not at its end, may still get there.
    settled = [
        run.is_finished or run.has_diverged or count is not None for run, count in zip(runs, reached, strict=True)
    ]
    middle = convergence.middle(reached)
    verdict = of_count(middle, printed) if all(settled) else Verdict.partial
    ours = "never" if middle is None and all(settled) else "not yet" if middle is None else f"{middle:,.0f}"
    share = sum(count is not None for count in reached)
    note = f"{_seeds(runs)}; {share} of {len(runs)} did"
    if middle is not None:
        note += f"; {_stays(convergences, level)}"
    later = ""
    if verdict is Verdict.not_met and middle is not None and printed is not None:
        later = f"{middle - printed:,.0f} sequences later"
    each = [of_count(count, printed) for count, is_settled in zip(reached, settled, strict=True) if is_settled]
    return Measure(what, paper_count, ours, verdict, note, later, meeting(each))


def _stays(convergences: Sequence[Convergence], level: int) -> str:
    """From when the median seed stays below the threshold, and how many seeds relapsed."""
    since = convergence.middle([ours.crossings[level].stays_below for ours in convergences])
    words = "does not stay below" if since is None else f"stays below from {since:,.0f}"
    relapsed = [ours.relapses for ours in convergences if ours.relapses is not None]
    return f"{words}; {sum(map(bool, relapsed))} of {len(relapsed)} relapsed" if relapsed else words


def last(task: str, model: str, runs: Sequence[Run]) -> Measure:
    """What a pair costs at the end of the paper's learning curves, or so far."""
    above = " above the optimum" if tasks.find(task).has_optimum else ""
    what = f"{paper.MODELS[model]}: bits{above} after {paper.sequences(task):,} sequences"
    printed = convergence.of_paper(task, model).final
    assert printed is not None
    finished = [run for run in runs if run.is_finished]
    if not finished:
        longest = max(runs, key=lambda run: run.sequences, default=None)
        if longest is None:
            return Measure(what, f"{printed:.2f}", "–", Verdict.partial, "not run")
        so_far = convergence.of_run(longest).final
        ours = "–" if so_far is None else f"{so_far:.2f} so far"
        return Measure(what, f"{printed:.2f}", ours, Verdict.partial, longest.progress)
    finals = [convergence.of_run(run).final for run in finished]
    costs = [cost for cost in finals if cost is not None]
    if not costs:
        shorter = f"shorter than the window of {convergence.end_window(task):,} sequences"
        return Measure(what, f"{printed:.2f}", "–", Verdict.partial, shorter)
    ours_now = statistics.median(costs)
    note = _seeds(finished) + (f", {min(costs):.2f} to {max(costs):.2f}" if len(costs) > 1 else "")
    if run_settings.mixed(Pair(task, model, finished)):
        note += "; not all with the same settings"
    scatter = convergence.paper_deviation(task, model)
    verdict = of_cost(ours_now, printed, scatter)
    more = more_bits(ours_now, printed) if verdict is Verdict.not_met else ""
    each = [of_cost(cost, printed, scatter) for cost in costs]
    return Measure(what, f"{printed:.2f}", f"{ours_now:.2f}", verdict, note, more, meeting(each))


def _seeds(runs: Sequence[Run]) -> str:
    return f"median of {len(runs)} seeds" if len(runs) > 1 else f"seed {runs[0].seed}"
