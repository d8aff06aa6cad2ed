"""The page of a sweep, and its table: what was varied, what each setting came to, what did not finish."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ntm_repro.evidence.rendering import Column, Row, Table
from ntm_repro.figures import sweep as figures
from ntm_repro.figures.style import styled
from ntm_repro.report.pictures import Picture, png
from ntm_repro.report.templating import asset, render
from ntm_repro.sweeps.comparison import Comparison, Judged, Setting, printed, shown

COLOURS = 192  # of a picture: lines and dots need no more, and the page is a third as large
WIDTHS = {"wide": (9.6, 1150), "narrow": (3.9, 720)}  # inches and pixels: of a desk, of a phone


class Drawn(NamedTuple):
    """A picture for both widths. what: it shows, in words."""

    title: str
    what: str
    wide: Picture
    narrow: Picture


class Part(NamedTuple):
    """What the page has of one task. importance: (key, share), empty where none can be told."""

    comparison: Comparison
    lead: str
    notes: Sequence[str]
    best: str
    table: Table
    drawn: Sequence[Drawn]
    importance: Sequence[tuple[str, float]]
    unfinished: Sequence[str]


def part(compared: Comparison, command: Callable[[Setting], str], importance: Sequence[tuple[str, float]]) -> Part:
    """All that is said of one comparison. command: the command line that repeats a setting's best run."""
    best = compared.settings[0]
    return Part(
        compared,
        _lead(compared),
        _notes(compared),
        command(best) if best.is_ranked and math.isfinite(best.median) else "",
        table(compared),
        _pictures(compared),
        importance,
        [_fate(run) for run in compared.unfinished],
    )


def page(title: str, parts: Sequence[Part], never_begun: Sequence[Path]) -> str:
    """The page as HTML with all it needs inside."""
    return render(
        "sweep.html.j2",
        title=title,
        parts=parts,
        never_begun=never_begun,
        style=asset("page.css", "sweep.css"),
        script=asset("page.js"),
    )


def table(compared: Comparison) -> Table:
    """A row for each setting, the best first: the median of its seeds, and every seed."""
    form = ",.0f" if "_below_" in compared.objective.name else ".4f"
    rows: list[Row] = []
    for rank, setting in enumerate(compared.settings, 1):
        known = setting.known
        rows.append(
            {
                "rank": float(rank) if setting.is_ranked else None,
                **{shown(key): printed(value) for key, value in zip(compared.varied, setting.values, strict=True)},
                "median": _cell(setting.median, form) if known else None,
                "best": _cell(min(known), form) if known else None,
                "worst": _cell(max(known), form) if known else None,
                "seeds": f"{len(known)} of {len(setting.runs)}",
                "each seed": ", ".join(f"{run.run.seed}: {_cell(run.value, form)}" for run in setting.runs),
            }
        )
    columns = [
        Column("rank", ".0f"),
        *(Column(shown(key)) for key in compared.varied),
        Column("median", form),
        Column("best", form),
        Column("worst", form),
        Column("seeds"),
        Column("each seed"),
    ]
    return Table("sweep", f"Sweep: {compared.task}", _lead(compared), columns, rows, _notes(compared))


def _cell(value: float, form: str) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never" if form == ",.0f" else "diverged"
    return format(value, form)


def _lead(compared: Comparison) -> str:
    runs = [run for setting in compared.settings for run in setting.runs]
    varied = ", ".join(shown(key) for key in compared.varied) or "the seed alone"
    return (
        f"{compared.objective.name}, the smaller the better, after {compared.sequences:,} sequences; "
        f"{len(runs)} runs of {len(compared.settings)} settings; varied: {varied}."
    )


def _notes(compared: Comparison) -> list[str]:
    notes = []
    longer = [length for length in compared.lengths if length > compared.sequences]
    if longer:
        trained = ", ".join(f"{length:,}" for length in longer)
        notes.append(f"Some runs were trained on more sequences ({trained}); all count as they were after the same.")
    missing = sum(not run.is_known for run in compared.unfinished)
    if missing:
        notes.append(f"{missing} runs did not get that far, and are in no median.")
    few = {len(setting.known) for setting in compared.settings}
    if len(few) > 1:
        notes.append("Not all settings have as many seeds: compare medians with care.")
    return notes


def _fate(run: Judged) -> str:
    status = run.run.summary["status"]
    if math.isinf(run.value) and not run.run.has_diverged:
        status = "never below the threshold"
    at = f"at {run.run.sequences:,} of {run.run.planned:,} sequences"
    return f"{run.run.folder}: {status} {at}"


def _pictures(compared: Comparison) -> list[Drawn]:
    if not any(setting.known for setting in compared.settings):
        return []
    colours = "the best settings in colour"
    crosses = "a cross for what diverged or never got there"
    wanted = [
        ("Every seed", f"Every seed as a dot, the median as a bar; {colours}; {crosses}.", figures.seeds),
        ("Learning curves", f"Every seed thin, medians strong; {colours}.", figures.curves),
    ]
    if compared.varied:
        wanted.append(("Over what was varied", f"A dot for every run; {colours}; {crosses}.", figures.axes_of_sweep))
    with styled():
        return [
            Drawn(title, what, *(png(draw(compared, inches), pixels, COLOURS) for inches, pixels in WIDTHS.values()))
            for title, what, draw in wanted
        ]
