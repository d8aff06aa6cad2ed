"""What is committed of tables and report is what the committed runs give."""

from pathlib import Path

import pytest

from ntm_repro.evidence import rendering, tables
from ntm_repro.report.templating import render

RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.fixture(scope="module")
def every():
    return {table.name: table for table in tables.every(RESULTS / "paper")}


def test_every_table_is_the_one_made_anew(every):
    files = {path.name: path.read_text() for path in (RESULTS / "tables").iterdir()}
    made = {f"{name}.md": rendering.as_markdown(table) for name, table in every.items()}
    made |= {f"{name}.csv": rendering.as_csv(table) for name, table in every.items()}
    assert files == made  # else: make tables


def test_the_reports_choices_and_tables_are_those_of_the_runs(every):
    page = (RESULTS / "report/index.html").read_text()
    choices = every["choices"]
    others = [table for table in every.values() if table is not choices]
    assert render("choices.html.j2", choices=choices) in page  # else: make report
    assert render("tables.html.j2", tables=others) in page
