"""The figure of recipes climbs where a seed has learned for good, and ends where a recipe's runs do."""

import pytest
from support.recorded_runs import record

from ntm_repro.evidence import recipes as evidence
from ntm_repro.figures import drawer, recipes
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(root):
    with styled():
        return drawer("recipes")(RunStore(root, load=None))


def test_every_recipe_has_a_colour_of_its_own():
    assert list(recipes.COLOURS) == list(evidence.RECIPES)
    assert len(set(recipes.COLOURS.values())) == len(evidence.RECIPES)


def test_a_line_for_each_recipe_with_its_count(tmp_path):
    root = tmp_path / "paper"
    record(root, "copy", "ntm", 1, [9.0, 0.0])
    record(root, "copy", "ntm", 2, [9.0, 9.0, 9.0])
    record(evidence.recipe_root(root, "dnc"), "copy", "ntm", 1, [9.0])
    axes = draw(root).axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
    assert [list(line.get_xdata()) for line in lines] == [[500, 2_000, 3_000], [500, 1_000]]
    assert [list(line.get_ydata()) for line in lines] == [
        pytest.approx([1.6, 51.6, 51.6]),
        pytest.approx([-3.2, -3.2]),
    ]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["the paper's: 1 of 2", "DNC's: 0 of 1"]
    ends = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert ends == [3_000, 1_000]


@pytest.mark.parametrize("place", range(3))
def test_without_a_run_a_panel_is_empty_and_says_what_it_would_show(tmp_path, place):
    axes = draw(tmp_path / "paper").axes[place]
    assert not axes.lines
    assert "never again above" in axes.get_title(loc="left")
