"""The figure of how many seeds learn climbs where a seed has learned for good, recipe by recipe."""

import pytest
from support.recorded_runs import record

from ntm_repro.evidence.runs import find
from ntm_repro.figures import drawer, reliability, style
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(evidence):
    with styled():
        return drawer("reliability")(RunStore(evidence, load=None))


def test_steps_climb_by_a_seed_and_end_with_the_longest_run(tmp_path):
    for seed, bits in enumerate(([9, 0.0, 0.0], [9, 0.0, 2.0, 0.05], [9, 9, 9], [0.05, 0.0]), 1):
        record(tmp_path, "copy", "ntm", seed, bits)
    found = find(tmp_path, "copy", "ntm")
    assert reliability.steps(found) == [(0, 0), (1_000, 25), (2_000, 50), (4_000, 75), (4_000, 75)]
    assert reliability.steps(found[2:3]) == [(0, 0), (3_000, 0)]


def test_a_line_for_each_recipe_and_controller_with_its_count(tmp_path):
    record(tmp_path / "paper", "copy", "ntm", 1, [9.0, 0.0])
    record(tmp_path / "paper", "copy", "ntm", 2, [9.0, 9.0])
    record(tmp_path / "stable", "copy", "ntm_ff", 1, [0.05, 0.0])
    axes = draw(tmp_path / "paper").axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
    assert [line.get_color() for line in lines] == [style.colour("ntm"), style.colour("ntm_ff")]
    assert [list(line.get_xdata()) for line in lines] == [[500, 2_000, 2_000], [500, 1_000, 2_000]]
    assert [list(line.get_ydata()) for line in lines] == [[0, 50, 50], [0, 100, 100]]
    assert [text.get_text() for text in axes.texts] == ["1 of 2", "1 of 1"]
    assert lines[0].get_linestyle() != lines[1].get_linestyle()


@pytest.mark.parametrize("place", range(5))
def test_without_a_run_a_panel_is_empty_and_says_what_it_would_show(tmp_path, place):
    axes = draw(tmp_path / "paper").axes[place]
    assert not axes.lines
    assert "never again above" in axes.get_title(loc="left")
