"""The figure of failures shows the rows of the runs and stretches that it names."""

from support.recorded_runs import record

from ntm_repro.figures import drawer, failures, style
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import styled


def draw(evidence):
    with styled():
        return drawer("failures")(RunStore(evidence, load=None))


def test_a_panel_shows_the_rows_of_its_stretch_and_nothing_below_the_floor(tmp_path):
    scene = failures.SCENES[1]
    bits = [float(number) for number in range(700)]
    bits[650] = 1e-9
    record(tmp_path, scene.task, scene.model, scene.seed, bits)
    record(tmp_path, scene.task, scene.model, scene.seed + 1, [1e4] * 700)
    axes = draw(tmp_path).axes[1]
    norms, costs = axes.lines
    assert list(costs.get_xdata()) == list(range(601, 701))  # thousands of sequences
    assert list(costs.get_ydata()) == [bits[place] if place != 650 else failures.FLOOR for place in range(600, 700)]
    assert set(norms.get_ydata()) == {failures.FLOOR}
    assert costs.get_color() == style.colour(scene.model)


def test_without_the_run_it_says_so(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [1.0])
    assert [axes.texts[0].get_text() for axes in draw(tmp_path).axes] == ["not run yet"] * 3
