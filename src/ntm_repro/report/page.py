"""The page: claims, verdicts, pictures, tables and the memory viewer put into the templates, in one file."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, run_settings, tables
from ntm_repro.figures import drawer
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled
from ntm_repro.report import curve_measures, verdicts, viewer
from ntm_repro.report.pictures import Picture, png
from ntm_repro.report.provenance import Behind, behind
from ntm_repro.report.recordings import all_gaps, all_recordings
from ntm_repro.report.templating import asset, render
from ntm_repro.report.verdicts import Measure, Verdict

# Figures that the paper does not have.
BEYOND, EVERY_SEED, SEED_CURVES, RECIPES = "beyond", "reliability", "seeds", "recipes"
WIDE = 1200  # pixels that a picture is wide: sharp on the page at its widest


class Judged(NamedTuple):
    """A figure of the paper on the page."""

    name: str
    claim: paper.Figure
    measures: list[Measure]
    behind: list[Behind]
    picture: Picture

    @property
    def number(self) -> int:
        """The figure's number in the paper."""
        return int(self.name.removeprefix("fig"))

    @property
    def verdict(self) -> Verdict:
        """The verdict on all of the figure's measures together."""
        return verdicts.together([measure.verdict for measure in self.measures])

    @property
    def deciding(self) -> list[str]:
        """What a bad verdict stands on: the numbers that are not met, or not known yet; none where all are met."""
        if self.verdict not in (Verdict.not_met, Verdict.partial):
            return []
        worst = [measure for measure in self.measures if measure.verdict is self.verdict]
        return [f"{measure.what} ({measure.by})" if measure.by else measure.what for measure in worst]


def judge(name: str, sources: RunStore) -> Judged:
    """A figure's picture, numbers and background, from the evidence."""
    claim = paper.FIGURES[name]
    return Judged(name, claim, claim.measured_by.load()(sources), behind(sources, claim), _picture(name, sources))


def page(
    sources: RunStore, names: Sequence[str] = tuple(paper.FIGURES), progress: Callable[[str], None] = lambda _: None
) -> str:
    """The report as HTML, of all figures or those named; `told` is called with what is done next."""
    figures = []
    for name in names:
        progress(name)
        figures.append(judge(name, sources))
    more: dict[str, Picture] = {}
    for name in (BEYOND, EVERY_SEED, SEED_CURVES, RECIPES):
        progress(name)
        more[name] = _picture(name, sources)
    progress("memory viewer")
    counts = Counter(figure.verdict for figure in figures)
    every = {table.name: table for table in tables.every(sources.evidence)}
    choices = every.pop("choices")
    glance = [
        (task.label, [curve_measures.last(task.name, model, sources.runs(task.name, model)) for model in paper.MODELS])
        for task in (tasks.find(name)() for name in paper.TASKS)
    ]
    return render(
        "index.html.j2",
        figures=figures,
        beyond=more[BEYOND],
        every_seed=more[EVERY_SEED],
        seed_curves=more[SEED_CURVES],
        recipes=more[RECIPES],
        models=list(paper.MODELS.values()),
        glance=glance,
        tally=[(verdict, counts[verdict]) for verdict in Verdict if counts[verdict]],
        total=every["runs"].rows[-1],
        lead=run_settings.lead(run_settings.paired(sources.evidence)),
        relapse_rule=tables.relapse_rule(),
        choices=choices,
        tables=every.values(),
        viewer=viewer.fragment(all_recordings(sources), all_gaps(sources)),
        clearly=verdicts.CLEARLY,
        reading_bits=verdicts.READING_BITS,
        reading_share=verdicts.READING_SHARE,
        deviations=verdicts.DEVIATIONS,
        scatter_points=convergence.SCATTER_POINTS,
        style=asset("page.css"),
        script=asset("page.js"),
    )


def _picture(name: str, sources: RunStore) -> Picture:
    with styled():
        return png(drawer(name)(sources), WIDE)
