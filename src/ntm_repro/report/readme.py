"""The parts of README.md and docs/ that are made from the evidence: verdicts, results, trained weights, speed.

They stand between comments, `<!-- verdicts:begin … -->` and `<!-- verdicts:end -->`, and replace what is there.
"""

import csv
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, reliability, rendering, run_settings, tables
from ntm_repro.evidence.rendering import Cell, Column, Row
from ntm_repro.evidence.run_settings import Pair
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import curve_measures, generalisation_measures, verdicts
from ntm_repro.report.verdicts import Measure, Verdict

MARKED = re.compile(r"(<!-- (\w+):begin[^>]*-->).*?(<!-- \2:end -->)", re.DOTALL)
NTMS = ("ntm", "ntm_ff")
# Of the table of what is beyond the paper, a row or two a task.
BEYOND = {
    "copy": ("1000",),
    "repeat_copy": ("20 × 10", "10 × 12"),
    "associative_recall": ("50",),
    "dynamic_ngrams": ("1000",),
}
WHAT = {
    "copy": "{} vectors",
    "repeat_copy": "vectors × repeats: {}",
    "associative_recall": "{} items",
    "dynamic_ngrams": "{} bits",
}


class Cost(NamedTuple):
    """A pair's mean cost in bits after `sequences`: of its finished seeds, else of the one that came furthest."""

    sequences: int
    values: list[float]

    @property
    def median(self) -> float:
        """The median of the seeds' costs."""
        return statistics.median(self.values)


# Of the table of speed, a line each for a batch of 1 and of 16.
SPEED = (("copy", "ntm"), ("copy", "ntm_ff"), ("copy", "lstm"), ("repeat_copy", "lstm"))


def filled(text: str, made: Mapping[str, str]) -> str:
    """A page's text with all its marked parts made anew. Raises `KeyError` for a part that is not one of `parts`."""
    return MARKED.sub(lambda match: f"{match[1]}\n\n{made[match[2]]}\n\n{match[3]}", text)


def parts(sources: RunStore) -> dict[str, str]:
    """{name of a part: its Markdown}."""
    pairs, bench = run_settings.paired(sources.evidence), sources.evidence.parent / "bench/bench.csv"
    return {
        "verdicts": tally(sources),
        "glance": "\n".join(glance(pairs)),
        "speed": "\n".join(speed(bench)),
        "speed_of_pairs": "\n".join(speed_of_pairs(bench)),
        "weights": "\n".join(weights(pairs, sources.evidence)),
        "every_seed": "\n".join(every_seed(pairs, sources.evidence)),
        "settings": run_settings.lead(pairs),
        "costs": "\n".join(costs(pairs)),
        "relapses": f"Relapses, by one rule for all pairs: {tables.relapse_rule()}.",
        "learned": "\n".join(learned(pairs)),
        "generalisation": "\n".join(generalisation(sources)),
        "beyond": "\n".join(beyond(pairs)),
    }


def tally(sources: RunStore) -> str:
    """How many figures of the paper have which verdict, and how many of the numbers in them."""
    measured = [figure.measured_by.load()(sources) for figure in paper.FIGURES.values()]
    numbers = [[measure.verdict for measure in measures] for measures in measured]
    figures = _shares([verdicts.together(judged) for judged in numbers])
    each = _shares([verdict for judged in numbers for verdict in judged])
    count = sum(map(len, numbers))
    return f"**Of the paper's {len(measured)} figures: {figures}. Of the {count} numbers in them: {each}.**"


def _shares(judged: Sequence[Verdict]) -> str:
    counts = Counter(judged)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def glance(pairs: Sequence[Pair]) -> list[str]:
    """What each pair costs at the end beside the paper's, and the verdict: a task a line."""
    rows: list[Row] = []
    for task in paper.TASKS:
        row: dict[str, str | None] = {"task": tasks.find(task)().label}
        for pair in pairs:
            if pair.task == task:
                measure = curve_measures.last(task, pair.model, pair.runs)
                share = f", {measure.share}" if measure.share else ""
                row[paper.MODELS[pair.model]] = f"{measure.verdict}{share}: {measure.ours} ({measure.paper})"
        rows.append(row)
    return rendering.lines(_columns("task", *paper.MODELS.values()), rows)


def weights(pairs: Sequence[Pair], root: Path) -> list[str]:
    """The folders of recorded runs whose trained weights were kept, recipe by recipe."""
    columns = _columns("task", "model", *(f"recipe={recipe}" for recipe in reliability.RECIPES))
    rows: list[Row] = []
    for pair in pairs:
        row = _names(pair)
        for recipe, found in reliability.by_recipe(root, pair.task, pair.model).items():
            kept = [
                f"`results/{recipe}/{pair.task}/{pair.model}/{run.folder.name}`" for run in found if run.has_weights
            ]
            row[f"recipe={recipe}"] = ", ".join(kept) or None
        rows.append(row)
    return rendering.lines(columns, rows)


Measured = dict[tuple[str, str, str], dict[str, str]]  # by pair, batch and what: rows of bench.csv, on one thread

NOT_MEASURED = ["Not measured yet: `make bench`."]
PEERS = {"eager PyTorch": "eager", "`torch.compile`": "compile", "`torch.nn.LSTM`": "nn.LSTM", "JAX": "jax"}


def _measured(path: Path) -> Measured:
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["threads"] == "1"]
    return {(row["pair"], row["batch"], row["what"]): row for row in rows}


def _times(measured: Measured, pair: str, batch: str, what: str) -> str | None:
    """How many times as long as ours it takes; None where that was not measured."""
    ratio = measured.get((pair, batch, what), {}).get("ratio_to_fused")
    return (f"× {float(ratio):.0f}" if float(ratio) >= 10 else f"× {float(ratio):.2g}") if ratio else None


def _milliseconds(measured: Measured, pair: str, batch: str) -> str:
    return f"{float(measured[pair, batch, 'fused']['median_ms_per_sequence']):.3g}"


def speed(path: Path) -> list[str]:
    """Milliseconds a sequence of a training step on one thread, and how many times as long other ways take: some pairs.

    path: bench.csv. Where there is none, a line that says so. Raises `OSError` where it cannot be read.
    """
    if not path.exists():
        return NOT_MEASURED
    measured = _measured(path)
    rows: list[Row] = []
    for batch, (task, model) in product(("1", "16"), SPEED):
        pair = f"{task}/{model}"
        rows.append(
            {
                "step of training": f"{tasks.find(task)().label}, {paper.MODELS[model]}, batch {batch}",
                "ours, ms": _milliseconds(measured, pair, batch),
                **{heading: _times(measured, pair, batch, what) for heading, what in PEERS.items()},
            }
        )
    return rendering.lines(_columns("step of training", "ours, ms:", *(f"{heading}:" for heading in PEERS)), rows)


def speed_of_pairs(path: Path) -> list[str]:
    """The same of all pairs, a line each, and the rate of whole training beside that of the step."""
    if not path.exists():
        return NOT_MEASURED
    measured = _measured(path)
    rows: list[Row] = []
    for task, model in product(paper.TASKS, paper.MODELS):
        pair = f"{task}/{model}"
        whole = measured[pair, "1", "end to end"]
        rows.append(
            {
                "task": tasks.find(task)().label,
                "model": paper.MODELS[model],
                "ms": _milliseconds(measured, pair, "1"),
                **{heading: _times(measured, pair, "1", what) for heading, what in PEERS.items()},
                "training, sequences/s": f"{1e3 / float(whole['median_ms_per_sequence']):,.0f}",
                "of the bare rate": f"{float(whole['share_of_bare']):.0%}",
                "batch 16: ms": _milliseconds(measured, pair, "16"),
                **{f"{heading}, 16": _times(measured, pair, "16", what) for heading, what in PEERS.items()},
            }
        )
    numbers = [f"{heading}:" for heading in rows[0] if heading not in ("task", "model")]
    return rendering.lines(_columns("task", "model", *numbers), rows)


def costs(pairs: Sequence[Pair]) -> list[str]:
    """The cost at the end beside the paper's, and where it was lower before."""
    columns = _columns("task", "model", "seeds:", "sequences:", "bits:", "seeds' range:", "the paper's:", "verdict")
    columns += _columns("lower before:")
    rows: list[Row] = []
    for pair in pairs:
        measure = curve_measures.last(pair.task, pair.model, pair.runs)
        row = {**_names(pair), "seeds": _seeds(pair), "verdict": measure.verdict.value}
        if (cost := _cost(pair)) is not None:
            paper_costs = dict(convergence.paper_end_means(pair.task, pair.model))
            printed = paper_costs.get(cost.sequences // convergence.WINDOW * convergence.WINDOW)
            row |= {
                "sequences": f"{cost.sequences:,}",
                "bits": _bold(f"{cost.median:.2f}", measure.verdict),
                "seeds' range": None if len(cost.values) == 1 else _costs_range(cost, printed),
                "the paper's": None if printed is None else f"{printed:.2f}",
                "lower before": _lower_before(pair, cost),
            }
        rows.append(row)
    return rendering.lines(columns, rows)


def learned(pairs: Sequence[Pair]) -> list[str]:
    """When a task is learned beside the paper's run, whether that lasts, and how many seeds relapsed."""
    columns = _columns("task", "model", "bits:", "first below:", "seeds' range:", "the paper's:", "verdict")
    columns += _columns("stays below:", "the paper's stays:", "relapsed seeds:")
    rows: list[Row] = []
    for pair in pairs:
        level = paper.LEARNED[pair.task]
        its = convergence.of_paper(pair.task, pair.model).crossings[level]
        measure = curve_measures.soon(pair.task, pair.model, pair.runs)
        convergences = [convergence.of_run(run) for run in pair.runs]
        first = [ours.crossings[level].first_below for ours in convergences]
        stays = [ours.crossings[level].stays_below for ours in convergences]
        relapses = [ours.relapses for ours in convergences if ours.relapses is not None]
        since = convergence.middle(stays) if stays else None
        rows.append(
            {
                **_names(pair),
                "bits": f"{paper.THRESHOLDS[pair.task][level]:g}",
                "first below": _bold(measure.ours, measure.verdict),
                "seeds' range": _counts_range(first, its.first_below),
                "the paper's": measure.paper,
                "verdict": measure.verdict.value,
                "stays below": _stays(pair, since, its.stays_below) if stays else None,
                "the paper's stays": _count(its.stays_below),
                "relapsed seeds": f"{sum(map(bool, relapses))} of {len(relapses)}" if relapses else None,
            }
        )
    return rendering.lines(columns, rows)


def generalisation(sources: RunStore) -> list[str]:
    """Trained models on longer sequences: the numbers of Figures 4, 8 and 11 that ask most."""
    chosen = [
        *((4, measure) for measure in generalisation_measures.copy_by_ntm(sources)[-1:]),
        *((8, measure) for measure in generalisation_measures.repeat_copy(sources)),
        *((11, measure) for measure in generalisation_measures.recall(sources) if ", 20 items" in measure.what),
    ]
    columns = _columns("figure:", "what", "ours:", "of", "the paper's:", "verdict")
    return rendering.lines(columns, [_of_measure(number, measure) for number, measure in chosen])


def beyond(pairs: Sequence[Pair]) -> list[str]:
    """NTMs where the paper did not go: the median seed, the best and the worst."""
    columns = _columns("task", "model", "tested on", "locations:", "seeds:", "what", "median:", "best seed:")
    columns += _columns("worst seed:")
    rows: list[Row] = []
    for row in tables.beyond([pair for pair in pairs if pair.model in NTMS]).rows:
        task = next(name for name in paper.TASKS if tasks.find(name)().label == row["task"])
        if row["setting"] not in BEYOND.get(task, ()):
            continue
        if row["optimum"] is None:
            what, form = "perfect, %", "{:.0f}"
            seen = [float(row[name] or 0) for name in ("perfect, %", "best seed, %", "worst seed, %")]
        else:
            what, form = "bits above the optimum", "{:.1f}"
            seen = [float(row[name] or 0) - float(row["optimum"]) for name in ("median", "lowest", "highest")]
        rows.append(
            {
                "task": row["task"],
                "model": row["model"],
                "tested on": WHAT[task].format(row["setting"]),
                "locations": f"{row['locations']:,}",
                "seeds": str(row["seeds"]),
                "what": what,
                **dict(zip(("median", "best seed", "worst seed"), map(form.format, seen), strict=True)),
            }
        )
    return rendering.lines(columns, rows)


def every_seed(pairs: Sequence[Pair], root: Path) -> list[str]:
    """Which share of the NTMs' seeds learn and keep their task: in each cell the paper's recipe → the stable one."""
    names = {
        "learned": "learned",
        "learned at, median": "sequences until then, median",
        "relapsed": "fell back later",
        "solved": "solved at the end",
        "sequences": "sequences in all",
    }
    recorded = reliability.table([pair for pair in pairs if pair.model in NTMS], root).rows
    found: dict[tuple[Cell, Cell], dict[Cell, dict[str, str]]] = {}
    for row in recorded:
        cells = {heading: _said(row[key]) for key, heading in names.items()}
        found.setdefault((row["task"], row["model"]), {})[row["recipe"]] = cells
    rows: list[Row] = []
    for (task, model), by_recipe in found.items():
        both = [by_recipe.get(recipe, {}) for recipe in reliability.RECIPES]
        shown: Row = {heading: " → ".join(cells.get(heading) or "–" for cells in both) for heading in names.values()}
        rows.append({"task": str(task), "model": str(model), **shown})
    return rendering.lines(_columns("task", "model", *(f"{heading}:" for heading in names.values())), rows)


def _said(cell: Cell) -> str:
    """Of a table's cell: a share in few letters, or a count with its thousands apart."""
    return cell.replace(" of ", "/") if isinstance(cell, str) else _count(cell)


def _columns(*headings: str) -> list[Column]:
    """Columns of text; those whose heading is given with a colon stand to the right."""
    return [Column(name.removesuffix(":"), "s" if name.endswith(":") else "") for name in headings]


def _names(pair: Pair) -> dict[str, str | None]:
    return {"task": tasks.find(pair.task)().label, "model": paper.MODELS[pair.model]}


def _seeds(pair: Pair) -> str:
    """How many runs the cost is of; whether they are at their end and of the same settings."""
    finished = sum(run.is_finished for run in pair.runs)
    if not finished:
        return "1, not at its end" if pair.runs else "none"
    return f"{finished}, of different settings" if run_settings.mixed(pair) else str(finished)


def _cost(pair: Pair) -> Cost | None:
    """The pair's cost at its end, or so far."""
    chosen = [run for run in pair.runs if run.is_finished]
    chosen = chosen or sorted(pair.runs, key=lambda run: run.sequences)[-1:]
    finals = [convergence.of_run(run).final for run in chosen]
    known = [final for final in finals if final is not None]
    return Cost(chosen[0].sequences, known) if known else None


def _lower_before(pair: Pair, cost: Cost) -> str | None:
    """The lowest median at a round number of sequences, where the cost came to be clearly more than that again."""
    means = [dict(convergence.end_means(pair.task, run.rows, run.begin)) for run in pair.runs]
    lowest = min(
        (
            (statistics.median(here), sequences)
            for sequences in tables.TARGETS
            if sequences < cost.sequences
            and len(here := [mean[sequences] for mean in means if sequences in mean]) == len(means)
        ),
        default=(cost.median, 0),
    )
    clearly = max(verdicts.READING_BITS, verdicts.READING_SHARE * lowest[0])
    return f"{lowest[0]:.2f} at {lowest[1]:,}" if lowest[0] + clearly < cost.median else None


def _costs_range(cost: Cost, printed: float | None) -> str:
    """From the lowest to the highest seed, this one bold where it costs more than the paper's run."""
    lowest, highest = min(cost.values), max(cost.values)
    verdict = Verdict.partial if printed is None else verdicts.of_cost(highest, printed)
    return f"{lowest:.2f}–{_bold(f'{highest:.2f}', verdict)}"


def _stays(pair: Pair, ours: float | None, its: int | None) -> str:
    """The count, bold where it is later than the paper's; a run that is not at its end may still get there."""
    if ours is None and any(not run.is_finished for run in pair.runs):
        return "not yet"
    return _bold(_count(ours), verdicts.of_count(ours, its))


def _of_measure(number: int, measure: Measure) -> Row:
    return {
        "figure": str(number),
        "what": measure.what,
        "ours": _bold(measure.ours, measure.verdict),
        "of": measure.note,
        "the paper's": measure.paper,
        "verdict": measure.verdict.value,
    }


def _bold(text: str, verdict: Verdict) -> str:
    return f"**{text}**" if verdict is Verdict.not_met else text


def _count(count: float | None) -> str:
    return "never" if count is None else f"{count:,.0f}"


def _counts_range(counts: Sequence[int | None], printed: int | None) -> str | None:
    """From the first seed to the last, this one bold where it is later than the paper's run; None of fewer than two."""
    if len(counts) < 2:
        return None
    *_, last = ordered = sorted(counts, key=lambda count: float("inf") if count is None else count)
    if ordered[0] is None:
        return None
    return f"{_count(ordered[0])}–{_bold(_count(last), verdicts.of_count(last, printed))}"
