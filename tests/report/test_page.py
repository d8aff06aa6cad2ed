"""The page holds what the evidence says: numbers, verdicts, pictures, tables, and nothing from anywhere else."""

import base64
import html
import re
import struct

import pytest
from support.recorded_runs import record

from ntm_repro import paper, tasks
from ntm_repro.evidence import tables
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.page import judge, page

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """Two seeds of copy, one whose commit is anything but one; no weights."""
    root = tmp_path_factory.mktemp("evidence")
    record(root, "copy", "ntm", 1, [8.0] * 10 + [0.01] * 20)
    record(root, "copy", "ntm", 2, [8.0] * 10 + [0.02] * 20, commit=EVIL)
    return RunStore(root, None)


@pytest.fixture(scope="module")
def text(evidence):
    return page(evidence, ["fig03", "fig06"])


def section(text, name):
    return re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)[0]


def cells(text):
    """Rows of all that is in <th> and <td>."""
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[html.unescape(re.sub(r"<.*?>", "", cell)).strip() for cell in row] for row in found]


def test_numbers_beside_the_papers_with_verdicts(text):
    rows = cells(section(text, "fig03"))
    assert [
        "NTM-LSTM: first below 0.05 bits, sequences",
        "30,000",
        "20,000",
        "better 2 of 2 seeds",
        "median of 2 seeds; 2 of 2 did; stays below from 20,000; 0 of 2 relapsed",
    ] in rows
    assert ["LSTM: bits after 1,000,000 sequences", "0.52", "–", "partial", "not run"] in rows


def test_the_contents_give_each_figure_the_verdict_it_has_below(text, evidence):
    found = re.findall(r'<a href="#(fig\d\d)">.*?class="verdict ([\w-]+)"', text, re.DOTALL)
    assert found == [(name, judge(name, evidence, None).verdict.replace(" ", "-")) for name in ("fig03", "fig06")]


def test_the_glance_has_every_task_and_model(text):
    (head, *rows) = cells(section(text, "glance"))
    assert head == ["", "NTM-LSTM", "NTM-FF", "LSTM"]
    assert [row[0] for row in rows] == [tasks.find(task)().label for task in paper.TASKS]
    assert re.sub(r"\s+", " ", rows[0][1]) == "0.01 (paper 0.00) met 2 of 2 seeds median of 2 seeds, 0.01 to 0.02"


def test_what_stands_behind(text):
    behind = html.unescape(section(text, "fig03"))
    assert "ntm-train task=copy model=ntm seed=1" in behind
    assert "seeds 1, 2" in behind
    assert "not run yet: make reproduce TASKS=copy MODELS=lstm" in behind


def test_every_table_is_whole(text, evidence):
    rows = cells(section(text, "tables"))
    every = [table for table in tables.every(evidence.evidence) if table.name != "choices"]
    for table in every:
        assert [column.heading for column in table.columns] in rows
    assert sum(len(table.rows) + 1 for table in every) == len(rows)


def test_the_choices_are_the_table_of_them(text, evidence):
    (table,) = (table for table in tables.every(evidence.evidence) if table.name == "choices")
    columns = [column.heading for column in table.columns]
    assert cells(section(text, "choices"))[1:] == [[row[name] or "" for name in columns] for row in table.rows]


def test_it_says_how_the_models_were_trained(text):
    first, _, _ = html.unescape(text).partition('<section id="glance"')
    assert "Exceptions: train.sequences 30,000 instead of 1,000,000: copy" in first
    assert "Not trained to the end: copy NTM-FF (no run), copy LSTM (no run), repeat copy NTM-LSTM (no run)" in first


def test_beyond_the_paper_there_is_a_picture_and_no_verdict(text):
    beyond = section(text, "beyond")
    assert beyond.count("<img ") == 1
    assert "verdict" not in beyond
    assert 'id="table-beyond"' in text


def test_every_seed_has_a_picture_and_a_table(text):
    every_seed = section(text, "every-seed")
    assert every_seed.count("<img ") == 1
    assert "verdict" not in every_seed
    assert 'id="table-reliability"' in text
    assert 'href="#stable-recipe"' in text


@pytest.mark.parametrize(("name", "tables"), [("seed-curves", ()), ("recipes", ("recipes", "ablation"))])
def test_the_second_part_has_curves_and_the_recipes_of_others(text, name, tables):
    shown = section(text, name)
    assert shown.count("<img ") == 1
    assert text.index('id="stable-recipe"') < text.index(f'id="{name}"') < text.index('id="all-tables"')
    for table in tables:
        assert f'href="#table-{table}"' in shown
        assert f'id="table-{table}"' in text


def test_the_viewer_is_on_top_and_the_recipes_are_two_parts(text):
    places = ["viewer", "paper-recipe", "glance", "fig06", "beyond", "choices", "stable-recipe", "every-seed", "tables"]
    found = [text.index(f'id="{place}"') for place in places]
    assert found == sorted(found)


def test_pictures_are_inside_and_as_large_as_said(text):
    found = re.findall(r'<img src="data:image/png;base64,([^"]+)" width="(\d+)" height="(\d+)"', text)
    assert len(found) == 6  # two figures, what is beyond the paper, every seed and its curve, recipes
    for data, width, height in found:
        real = struct.unpack(">II", base64.b64decode(data)[16:24])
        assert real == (int(width), int(height))


def test_nothing_is_fetched_and_nothing_from_a_record_runs(text):
    assert not re.findall(r'(?:src|href)="(?!data:|#|https://arxiv\.org)[^"]*"', text)
    assert "url(" not in text
    assert "@import" not in text
    assert EVIL[:10] not in text.replace("<script>(() =>", "")


def test_what_has_no_weights_is_named_in_the_viewer(text):
    assert "copy, NTM, LSTM controller: make reproduce TASKS=copy MODELS=ntm" in html.unescape(section(text, "viewer"))


def test_the_same_evidence_gives_the_same_page(text, evidence):
    assert page(evidence, ["fig03", "fig06"]) == text
