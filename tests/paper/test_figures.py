"""Every figure of the paper is about runs that exist in the suite, and is drawn and measured by code that exists."""

import re
import sys
from pathlib import Path

import pytest
from support import processes

from ntm_repro import paper
from ntm_repro.figures.run_store import RunStore


def test_figures_1_and_2_are_diagrams_and_all_others_are_here():
    assert list(paper.FIGURES) == [f"fig{number:02}" for number in range(3, 19)]


@pytest.mark.parametrize("name", paper.FIGURES)
def test_it_is_about_pairs_of_the_paper(name):
    figure = paper.FIGURES[name]
    assert figure.task in paper.TASKS
    assert set(figure.models) <= set(paper.MODELS)
    for code in (figure.drawn_by, figure.measured_by):
        assert code.arguments.get("task", figure.task) == figure.task
        assert code.arguments.get("model", figure.models[0]) in figure.models


@pytest.mark.parametrize("name", paper.FIGURES)
def test_it_is_drawn_by_a_function_and_judged_by_some_number(name, tmp_path):
    figure = paper.FIGURES[name]
    assert callable(figure.drawn_by.load())
    assert figure.measured_by.load()(RunStore(tmp_path, None))


def test_learning_curves_have_the_numbers_of_their_figures():
    drawn = {name: figure for name, figure in paper.FIGURES.items() if "learning_curves" in figure.drawn_by.path}
    assert {figure.task: int(name[3:]) for name, figure in drawn.items()} == paper.LEARNING_FIGURES


def test_make_draws_the_same_figures_of_the_same_tasks():
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    lists = dict(re.findall(r"^(\w+) := (.*)$", makefile, re.MULTILINE))
    assert lists["TASK_NAMES"].split() == list(paper.TASKS)
    for task in paper.TASKS:
        assert lists[f"{task}_FIGURES"].split() == [
            name for name, figure in paper.FIGURES.items() if figure.task == task
        ]


def test_the_paper_is_data_without_torch_or_matplotlib():
    script = "import sys; from ntm_repro import figures, paper; assert not {'torch', 'matplotlib'} & set(sys.modules)"
    processes.run([sys.executable, "-c", script], check=True)
