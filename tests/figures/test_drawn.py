"""Figures of sequences and memory come out of whatever evidence there is, as files that stay the same."""

from io import BytesIO

import pytest
from support.untrained import sources

from ntm_repro.figures import drawer
from ntm_repro.figures.style import styled
from ntm_repro.paper import FIGURES

# Those of learning curves and of generalisation need no weights.
DRAWN_FROM_WEIGHTS = [
    name
    for name, figure in FIGURES.items()
    if figure.drawn_by.path not in {"figures.learning_curves.draw", "figures.recall_generalisation.draw"}
]


def png(name, evidence):
    content = BytesIO()
    with styled():
        drawer(name)(evidence).savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


@pytest.mark.parametrize("name", DRAWN_FROM_WEIGHTS)
def test_a_figure_comes_out_without_any_run(name, tmp_path):
    assert png(name, sources(tmp_path)).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["fig06", "fig17"])
def test_the_same_weights_give_the_same_file(name, tmp_path):
    evidence = sources(tmp_path, ("copy", "ntm"), ("priority_sort", "ntm"), heads=2)
    assert png(name, evidence) == png(name, evidence)
