"""The page: claims, verdicts, pictures, tables and the memory viewer put into the templates, in one file."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, run_settings, tables
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report import curve_measures, verdicts, viewer
from ntm_repro.report.drawing import pictures
from ntm_repro.report.pictures import Picture
from ntm_repro.report.provenance import Behind, behind
from ntm_repro.report.recordings import all_gaps, all_recordings
from ntm_repro.report.templating import asset, render
from ntm_repro.report.verdicts import Measure, Verdict

# Figures that the paper does not have.
BEYOND, EVERY_SEED, SEED_CURVES, RECIPES = "beyond", "reliability", "seeds", "recipes"


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


def judge(name: str, sources: RunStore, picture: Picture) -> Judged:
    """A figure with its numbers and background, from the evidence."""
    claim = paper.FIGURES[name]
    return Judged(name, claim, claim.measured_by.load()(sources), behind(sources, claim), picture)


def page(
    sources: RunStore,
    names: Sequence[str] = tuple(paper.FIGURES),
    progress: Callable[[str], None] = lambda _: None,
    processes: int = 1,
) -> str:
    """The report as HTML, of all figures or those named; `progress` is called with what is done next."""
    drawn = pictures((*names, BEYOND, EVERY_SEED, SEED_CURVES, RECIPES), sources, processes, progress)
    progress("verdicts")
    figures = [judge(name, sources, drawn[name]) for name in names]
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
        beyond=drawn[BEYOND],
        every_seed=drawn[EVERY_SEED],
        seed_curves=drawn[SEED_CURVES],
        recipes=drawn[RECIPES],
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
