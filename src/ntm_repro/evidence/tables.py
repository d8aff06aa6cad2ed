"""The tables: the paper's settings and numbers beside those of the recorded runs, and what the runs took."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ntm_repro import paper, tasks
from ntm_repro.evidence import choices, convergence, recipes, reliability, rendering, run_settings, runs
from ntm_repro.evidence.rendering import Cell, Column, Table
from ntm_repro.evidence.run_settings import Pair, leaf, paired, plain
from ntm_repro.evidence.runs import Run
from ntm_repro.evidence.windows import WINDOW, windows

TARGETS = (50_000, 100_000, 200_000, 300_000, 500_000, 1_000_000)  # sequences
BITS = ",.3f"
COUNT = ",d"
MEDIAN = ",.0f"
Row = dict[str, Cell]


def write(root: Path, out: Path) -> list[Path]:
    """Every table of the runs below `root`, as Markdown and CSV in `out`; returns the files. Raises `OSError`."""
    return [path for table in every(root) for path in rendering.write(out, table)]


def every(root: Path) -> list[Table]:
    """All tables of the runs below `root`, of which the last three count those of other recipes beside it too."""
    pairs = paired(root)
    makers = (settings, choices.table, convergence_of, targets, generalisation, beyond, times)
    of_recipes = [reliability.table(pairs, root), recipes.table(root), recipes.ablation(root)]
    return [*(make(pairs) for make in makers), *of_recipes]


def settings(pairs: Sequence[Pair]) -> Table:
    """Tables 1–3 beside ours."""
    rows = []
    for pair in pairs:
        printed = paper.PAIRS[pair.task, pair.model]
        row: Row = {
            **_names(pair),
            "heads, paper": int(printed.heads) if printed.heads else None,
            "controller, paper": printed.controller,
            "learning rate, paper": printed.learning_rate,
            "sequences, paper": paper.sequences(pair.task),
            "parameters, paper": printed.parameters,
            "deviations": "no run",
        }
        if pair.runs:
            parameters = _shared([run.summary.get("parameters") for run in pair.runs])
            row |= {
                "heads, ours": _shared([leaf(run, "model.heads") for run in pair.runs]),
                "controller, ours": _shared([_controller(run) for run in pair.runs]),
                "learning rate, ours": _shared([leaf(run, "train.learning_rate") for run in pair.runs]),
                "sequences, ours": _shared([run.planned for run in pair.runs]),
                "parameters, ours": parameters,
                "difference": parameters - printed.parameters if isinstance(parameters, int) else None,
                "deviations": run_settings.deviations(pair) or "none",
                "where the paper is silent": _choices(pair),
            }
        rows.append(row)
    columns = [Column("task"), Column("model")]
    for name, form in (
        ("heads", "d"),
        ("controller", ""),
        ("learning rate", "g"),
        ("sequences", COUNT),
        ("parameters", COUNT),
    ):
        columns += [Column(f"{name}, paper", form), Column(f"{name}, ours", form)]
    columns += [Column("difference", "+,d"), Column("deviations"), Column("where the paper is silent")]
    caption = (
        "Tables 1–3 of the paper, and the number of sequences its learning curves last, beside the recorded runs. "
        "Controller: layers × units; h heads are h reading and h writing ones. Difference: our parameters less the "
        "paper's; its NTM counts fit no single wiring, and its LSTM count for priority sort is very likely 348,424 "
        "with two digits exchanged. Deviations: settings of our runs that differ from what the paper states of the "
        "task, sizes, memory, learning rate, clipping and length of training. Where the paper is silent: our choices, "
        "the same for all tasks but where it says otherwise here."
    )
    return Table("settings", "Settings and parameters", caption, columns, rows)


def convergence_of(pairs: Sequence[Pair]) -> Table:
    """When each run was below thresholds, relapses, and where it ended."""
    levels = convergence.thresholds_in_words()
    rows: list[Row] = []
    for pair in pairs:
        paper_at = dict(convergence.paper_end_means(pair.task, pair.model))
        convergences = [convergence.of_run(run) for run in pair.runs]
        for run, ours in zip(pair.runs, convergences, strict=True):
            rows.append(
                {
                    **_names(pair),
                    "seed": str(run.seed),
                    "sequences": run.sequences,
                    **_by_level(levels, ours),
                    "relapses": ours.relapses,
                    "final": ours.final,
                    "paper, there": paper_at.get(run.sequences // WINDOW * WINDOW),
                    "status": _status(run),
                }
            )
        rows += _summaries(pair, convergences, levels)
        its = convergence.of_paper(pair.task, pair.model)
        rows.append(
            {
                **_names(pair),
                "seed": "paper",
                "sequences": paper.sequences(pair.task),
                **_by_level(levels, its),
                "final": its.final,
            }
        )
    columns = [Column("task"), Column("model"), Column("seed"), Column("sequences", COUNT)]
    columns += [Column(f"{what} below {level}", MEDIAN) for what in ("first", "stays") for level in levels]
    columns += [Column("relapses", MEDIAN), Column("final", BITS), Column("paper, there", BITS), Column("status")]
    caption = (
        "First below: the number of sequences after which the mean cost of the last 10,000 was first below a "
        "threshold, in bits per sequence. Stays below: that from which it was below to the end of the run. The first "
        "threshold is for copy, repeat copy and associative recall; the second for dynamic N-grams, whose cost here is "
        "the gap to the optimal estimator on the same sequences (the paper's: to its line at "
        f"{paper.NGRAM_OPTIMUM}); the third for priority sort. Relapses, by one rule for all: {relapse_rule()}. Final: "
        "the mean of the last 10,000 sequences, of dynamic N-grams the last "
        f"{convergence.end_window('dynamic_ngrams'):,}; beside it the same of the paper's curve at the same number of "
        "sequences. Medians: a seed that has not got below counts as later than any other; relapses are of seeds that "
        "were below the second threshold, final costs of finished ones. Seeds: how many got below, and how many of "
        "those below the second threshold relapsed."
    )
    return Table("convergence", "Convergence", caption, columns, rows, _notes(pairs))


def relapse_rule() -> str:
    """What counts as a relapse, in words."""
    first, second, _ = convergence.thresholds_in_words()
    return (
        f"once the mean of 10,000 sequences was first below {second} bits, each stretch of one or more consecutive "
        f"rows of metrics.csv (means over 1,000 sequences) above {first} bits"
    )


def targets(pairs: Sequence[Pair]) -> Table:
    """The paper's learning curves at round numbers of sequences, beside ours."""
    rows: list[Row] = []
    for pair in pairs:
        last = paper.sequences(pair.task)
        paper_at = dict(convergence.paper_means(pair.task, pair.model))
        paper_at[last] = dict(convergence.paper_end_means(pair.task, pair.model))[last]
        ours = [_at_round_numbers(pair.task, run) for run in pair.runs]
        for sequences in (count for count in TARGETS if count <= last):
            here = [means[sequences] for means in ours if sequences in means]
            off_axis = sequences < min(paper_at)
            rows.append(
                {
                    **_names(pair),
                    "sequences": sequences,
                    "paper": f"> {_top(pair.task):g}" if off_axis else paper_at.get(sequences),
                    **_spread(here),
                    "seeds": len(here),
                }
            )
    columns = [Column("task"), Column("model"), Column("sequences", COUNT)]
    columns += [Column(name, BITS) for name in ("paper", "median", "lowest", "highest")] + [Column("seeds", "d")]
    caption = (
        "Bits per sequence, means over the 10,000 sequences that end at the given number: the paper's one run, "
        "read off its learning curve (Figures 3, 7, 10, 13 and 18; > where it is still above the figure), beside "
        "the median, lowest and highest of our seeds that got there. Dynamic N-grams: bits above the optimal "
        f"estimator, ours on the same sequences, the paper's above its line at {paper.NGRAM_OPTIMUM}, which is "
        f"itself uncertain by ± 1.1; at {paper.sequences('dynamic_ngrams'):,}, the end, means over the last "
        f"{convergence.end_window('dynamic_ngrams'):,}."
    )
    return Table("targets", "Learning curves at round numbers of sequences", caption, columns, rows, _notes(pairs))


def generalisation(pairs: Sequence[Pair]) -> Table:
    """What the trained models do on longer sequences."""
    rows: list[Row] = []
    for pair in pairs:
        evaluated = [run for run in pair.runs if run.evaluation]
        printed = dict(paper.curve(11, pair.model)) if pair.task == "associative_recall" else {}
        unfinished = "; ".join(run.progress for run in evaluated if not run.is_finished) or None
        for row, _ in _tested(pair, [run.evaluation for run in evaluated]):
            its = printed.get(float(str(row["setting"]))) if printed else None
            rows.append(row | {"paper": its, "unfinished": unfinished})
    columns = [Column("task"), Column("model"), Column("setting"), Column("seeds", "d"), Column("sequences", COUNT)]
    columns += [Column(name, BITS) for name in ("median", "lowest", "highest", "paper", "optimum", "wrong bits")]
    columns += [Column("perfect, %", ".1f"), Column("worst seed, %", ".1f"), Column("unfinished")]
    caption = (
        "The trained models on sequences they were not trained on, most of them longer. Setting: length (copy, "
        "dynamic N-grams), length × repeats (repeat copy), items (associative recall), vectors × highest (priority "
        "sort). Sequences: how many each seed was tested on. Median, lowest, highest: bits per sequence of the "
        "seeds; paper: Figure 11; optimum: bits of the optimal estimator on the same sequences. Wrong bits per "
        "sequence and the share of sequences without one: medians over the seeds."
    )
    return Table("generalisation", "Generalisation", caption, columns, rows)


def beyond(pairs: Sequence[Pair]) -> Table:
    """What the trained models do where the paper did not go."""
    rows: list[Row] = []
    for pair in pairs:
        for row, entries in _tested(pair, [run.beyond for run in pair.runs if run.beyond]):
            best = 100 * max(entry["perfect"] for entry in entries)
            rows.append(row | {"locations": entries[0]["locations"], "best seed, %": best})
    columns = [Column("task"), Column("model"), Column("setting"), Column("locations", COUNT), Column("seeds", "d")]
    columns += [Column("sequences", COUNT)]
    columns += [Column(name, BITS) for name in ("median", "lowest", "highest", "optimum", "wrong bits")]
    columns += [Column(name, ".1f") for name in ("perfect, %", "best seed, %", "worst seed, %")]
    caption = (
        "The trained models, as they are, beyond the settings that the paper tried. Setting: length (copy, dynamic "
        "N-grams), length × repeats (repeat copy), items (associative recall), vectors × highest (priority sort). "
        "Locations: of the memory, which had 128 in training; those added start as the others do. Sequences: how "
        "many each seed was tested on. Median, lowest, highest: bits per sequence of the seeds; optimum: bits of the "
        "optimal estimator on the same sequences. Wrong bits per sequence and the share of sequences without one: "
        "medians over the seeds."
    )
    return Table("beyond", "Beyond the paper", caption, columns, rows)


def times(pairs: Sequence[Pair]) -> Table:
    """What each run took."""
    rows: list[Row] = []
    for pair in pairs:
        for run in pair.runs:
            hours = run.wall_hours
            rows.append(
                {
                    **_names(pair),
                    "seed": str(run.seed),
                    "sequences": run.sequences,
                    "wall hours": hours,
                    "sequences/s": None if hours is None else run.sequences / max(3600 * hours, 1e-9),
                    "threads": run.summary.get("threads"),
                    "core-hours": run.core_hours,
                    "commit": run.commit,
                    "status": _status(run),
                }
            )
    totals = {name: sum(float(row[name] or 0) for row in rows) for name in ("wall hours", "core-hours")}
    rows.append({"task": "total", "seed": f"{len(rows)} runs", "sequences": _total(pairs), **totals})
    columns = [Column("task"), Column("model"), Column("seed"), Column("sequences", COUNT)]
    columns += [Column("wall hours", ",.2f"), Column("sequences/s", ",.0f"), Column("threads", "d")]
    columns += [Column("core-hours", ",.2f"), Column("commit"), Column("status")]
    caption = (
        "Every recorded run: how long it trained (all its resumptions together), at what speed, from which commit. "
        "Core-hours are wall hours × threads."
    )
    return Table("runs", "Runs", caption, columns, rows, _notes(pairs))


def _by_level(levels: Sequence[str], judged: convergence.Convergence) -> Row:
    """A run's cells of each threshold."""
    pairs = zip(levels, judged.crossings, strict=True)
    return {
        name: count
        for level, crossing in pairs
        for name, count in (
            (f"first below {level}", crossing.first_below),
            (f"stays below {level}", crossing.stays_below),
        )
    }


def _summaries(pair: Pair, convergences: Sequence[convergence.Convergence], levels: Sequence[str]) -> Iterator[Row]:
    """How many seeds got below each threshold, and the medians."""
    if not convergences:
        yield {**_names(pair), "seed": "no run"}
        return
    counts = [_by_level(levels, ours) for ours in convergences]
    columns: dict[str, list[Any]] = {name: [count[name] for count in counts] for name in counts[0]}
    finals = [ours.final for run, ours in zip(pair.runs, convergences, strict=True) if run.is_finished]
    relapses = [ours.relapses for ours in convergences]
    relapsed = [count for count in relapses if count is not None]
    yield {
        **_names(pair),
        "seed": "median",
        **{name: convergence.middle(values) for name, values in columns.items()},
        "relapses": _median(relapses),
        "final": _median(finals),
    }
    yield {
        **_names(pair),
        "seed": "seeds",
        **{name: f"{sum(count is not None for count in values)} of {len(values)}" for name, values in columns.items()},
        "relapses": f"{sum(map(bool, relapsed))} of {len(relapsed)}",
    }


def _at_round_numbers(task: str, run: Run) -> dict[int, float]:
    """{sequences: mean cost of the 10,000 before}; at the end of the paper's curves, of the task's `end_window`."""
    means = {window.edge: window.mean for window in windows(convergence.costs(task, run.rows), begin=run.begin)}
    last = paper.sequences(task)
    ends = dict(convergence.end_means(task, run.rows, run.begin))
    return means | ({last: ends[last]} if last in ends else {})


def _names(pair: Pair) -> Row:
    return {"task": tasks.find(pair.task)().label, "model": paper.MODELS[pair.model]}


def _status(run: Run) -> str:
    joint = "".join(f", joint at {sequences:,}" for sequences in run.joints)
    if run.is_finished:
        return f"finished{joint}"
    return f"diverged{joint}" if run.has_diverged else f"so far, of {run.planned:,}{joint}"


def _notes(pairs: Sequence[Pair]) -> list[str]:
    """What is missing, and which seeds of a pair are not of the same settings."""
    found = []
    for pair in pairs:
        where = f"{tasks.find(pair.task)().label}, {paper.MODELS[pair.model]}"
        found += [f"{where}, {gap}" for gap in runs.gaps(pair.task, pair.model, pair.runs)]
        found += [
            f"{where}, seed {run.seed}: {joint}" for run in pair.runs if (joint := run_settings.joints(run)) is not None
        ]
        if differ := run_settings.mixed(pair):
            found.append(f"{where}: the seeds were trained with different settings: {differ}")
    return found


def _controller(run: Run) -> str:
    """As Tables 1–3 print it: the size, behind the number of layers where that is not one."""
    prefix = "model" if run.model == "lstm" else "model.controller"
    layers, size = leaf(run, f"{prefix}.layers"), leaf(run, f"{prefix}.size")
    return str(size) if layers == 1 else f"{layers}×{size}"


def _choices(pair: Pair) -> str:
    """Our settings where the paper leaves them open."""
    chosen = []
    for key, name in run_settings.OPEN.items():
        value = _shared([leaf(run, key) for run in pair.runs])
        if value is not None:  # the LSTM has no memory
            chosen.append(f"{name} {plain(value)}")
    return ", ".join(chosen)


def _shared(values: Sequence[Any]) -> Any:
    """The value that all have, or all of them."""
    distinct = list(dict.fromkeys(values))
    return distinct[0] if len(distinct) == 1 else " or ".join(map(plain, distinct))


def _tested(pair: Pair, evaluations: Sequence[Any]) -> Iterator[tuple[Row, list[dict[str, Any]]]]:
    """Of each setting in a pair's evaluations, what the seeds did on it, and their entries."""
    found: dict[str, list[dict[str, Any]]] = {}
    for evaluation in evaluations:
        for entry in evaluation["grid"]:
            parts = entry["setting"] if isinstance(entry["setting"], list) else [entry["setting"]]
            found.setdefault(" × ".join(map(str, parts)), []).append(entry)
    for setting, entries in found.items():
        perfect = [100 * entry["perfect"] for entry in entries]
        row: Row = {
            **_names(pair),
            "setting": setting,
            "seeds": len(entries),
            "sequences": min(entry["sequences"] for entry in entries),
            **_spread([entry["bits"] for entry in entries]),
            "optimum": _median([entry["optimum_bits"] for entry in entries]),
            "wrong bits": _median([entry["wrong_bits"] for entry in entries]),
            "perfect, %": _median(perfect),
            "worst seed, %": min(perfect),
        }
        yield row, entries


def _spread(values: Sequence[float]) -> Row:
    if not values:
        return {}
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _top(task: str) -> float:
    """Where the paper's axis of costs ends."""
    return paper.AXES[paper.LEARNING_FIGURES[task]][1][1] - paper.optimum(task)


def _total(pairs: Sequence[Pair]) -> int:
    return sum(run.sequences for pair in pairs for run in pair.runs)
