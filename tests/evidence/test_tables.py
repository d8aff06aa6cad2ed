"""The cells of each table, from small recorded runs."""

import csv
import json

import pytest
from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.evidence import tables

SOLVED = [8.0] * 10 + [0.01] * 50


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """{name: rows as CSV has them} and {name: Markdown} of the tables of a few runs."""
    root, out = tmp_path_factory.mktemp("evidence"), tmp_path_factory.mktemp("tables")
    record(root, "copy", "ntm", 1, SOLVED, parameters=63_023, grid={20: 0.5, 120: 4.0}, beyond={200: 8.0})
    grids = {"grid": {20: 1.5, 120: 8.0}, "beyond": {200: 0.0, 1000: 5.0}}
    record(root, "copy", "ntm", 2, [16.0] * 20 + [0.03] * 40, parameters=63_023, threads=2, **grids)
    record(root, "copy", "ntm", 3, [32.0] * 10, planned=60_000, parameters=63_023, dirty=True)
    record(root, "dynamic_ngrams", "lstm", 1, [140.0] * 50, optimum=[133.0] * 50, planned=1_000_000)
    record(root, "associative_recall", "ntm", 1, SOLVED, grid={6: 0.25, 10: 1.0}, planned=1_000_000)
    record(root, "repeat_copy", "ntm_ff", 1, [200.0] * 10, grid={(10, 20): 5426.2})
    paths = tables.write(root, out)
    assert sorted(path.name for path in paths) == sorted(path.name for path in out.iterdir())
    assert len(paths) == 20
    read = {}
    for path in out.glob("*.csv"):
        with path.open() as file:
            read[path.stem] = list(csv.DictReader(file))
    return read, {path.stem: path.read_text() for path in out.glob("*.md")}


def of(rows, task, model):
    return [row for row in rows if (row["task"], row["model"]) == (task, model)]


def test_every_pair_has_its_settings(written):
    rows = written[0]["settings"]
    assert len(rows) == len(paper.TASKS) * len(paper.MODELS)
    (copy,) = of(rows, "copy", "NTM-LSTM")
    assert (copy["parameters, paper"], copy["parameters, ours"], copy["difference"]) == ("67561", "63023", "-4538")
    assert (copy["heads, ours"], copy["controller, ours"], copy["learning rate, ours"]) == ("1", "100", "0.0001")
    assert copy["deviations"] == "`train.sequences` 60,000, not 1,000,000"
    (sort,) = of(rows, "priority sort", "NTM-LSTM")
    assert (sort["heads, paper"], sort["controller, paper"], sort["deviations"]) == ("5", "2×100", "no run")
    assert sort["parameters, ours"] == sort["difference"] == ""
    (ngrams,) = of(rows, "dynamic N-grams", "LSTM")
    assert (ngrams["controller, ours"], ngrams["heads, paper"], ngrams["deviations"]) == ("3×128", "", "none")


def test_choices_where_the_paper_is_silent_are_named(tmp_path):
    for seed, order in ((1, "after"), (2, "before")):
        folder = record(tmp_path, "priority_sort", "ntm", seed, [1.0], planned=1_000_000)
        summary = json.loads((folder / "summary.json").read_text())
        summary["config"]["model"] |= {"read_order": order, "shift_range": 21}
        summary["config"]["model"]["memory"] |= {"start": "per_location"}
        summary["config"]["train"] |= {"clip_through_time": True, "loss_scale": 0.1}
        (folder / "summary.json").write_text(json.dumps(summary))
    tables.write(tmp_path, tmp_path)
    with (tmp_path / "settings.csv").open() as file:
        (row,) = of(csv.DictReader(file), "priority sort", "NTM-LSTM")
    chosen = "start per_location, shifts 21, read after or before, clip through time on, loss × 0.1"
    assert row["where the paper is silent"] == chosen


def test_a_run_older_than_the_scale_of_the_loss_had_none(tmp_path):
    for seed in (1, 2):
        folder = record(tmp_path, "copy", "ntm", seed, [1.0])
        summary = json.loads((folder / "summary.json").read_text())
        summary["config"]["train"] |= {"loss_scale": 1.0} if seed == 2 else {}
        (folder / "summary.json").write_text(json.dumps(summary))
    tables.write(tmp_path, tmp_path)
    with (tmp_path / "settings.csv").open() as file:
        (row,) = of(csv.DictReader(file), "copy", "NTM-LSTM")
    assert row["where the paper is silent"].endswith("loss × 1")


def test_deviations_name_the_seeds_they_are_of(tmp_path):
    folders = [record(tmp_path, "copy", "lstm", seed, [1.0], planned=1_000_000) for seed in (1, 2)]
    text = (folders[1] / "summary.json").read_text()
    (folders[1] / "summary.json").write_text(text.replace('"clip": "value"', '"clip": "norm"'))
    tables.write(tmp_path, tmp_path)
    with (tmp_path / "settings.csv").open() as file:
        (row,) = of(csv.DictReader(file), "copy", "LSTM")
    assert row["deviations"] == "`train.clip` norm, not value (seed 2)"


def test_convergence_of_each_run_of_all_and_of_the_paper(written):
    rows = of(written[0]["convergence"], "copy", "NTM-LSTM")
    levels = ("1 / 5 / 60", "0.1 / 2 / 20", "0.05 / 1 / 10")
    expected = {
        "1": ["19000", "20000", "20000"],  # the tenth of ten rows is needed: a tenth of 8 bits is more than 0.1
        "2": ["30000", "30000", "30000"],
        "3": ["", "", ""],
        "median": ["30000", "30000", "30000"],
        "seeds": ["2 of 3", "2 of 3", "2 of 3"],
        "paper": ["30000", "30000", "30000"],
    }
    for what in ("first", "stays"):
        assert {row["seed"]: [row[f"{what} below {level}"] for level in levels] for row in rows} == expected
    finals = {row["seed"]: (row["final"], row["paper, there"], row["status"]) for row in rows}
    assert finals["1"] == ("0.010", "0.003", "finished")
    assert finals["3"] == ("32.000", "", "so far, of 60,000")  # the paper's curve is above its figure there
    assert finals["median"] == ("0.020", "", "")
    ngrams = {row["seed"]: row for row in of(written[0]["convergence"], "dynamic N-grams", "LSTM")}
    assert (ngrams["1"]["final"], ngrams["paper"]["final"]) == ("", "4.055")  # shorter than a hundred thousand
    assert [row["seed"] for row in of(written[0]["convergence"], "priority sort", "LSTM")] == ["no run", "paper"]


def test_targets_are_the_papers_numbers_beside_the_spread_of_ours(written):
    rows = of(written[0]["targets"], "copy", "NTM-LSTM")
    assert [row["sequences"] for row in rows] == ["50000", "100000", "200000", "300000", "500000", "1000000"]
    first = {name: rows[0][name] for name in ("paper", "median", "lowest", "highest", "seeds")}
    assert first == {"paper": "0.003", "median": "0.020", "lowest": "0.010", "highest": "0.030", "seeds": "2"}
    assert (rows[1]["median"], rows[1]["seeds"]) == ("", "0")
    assert of(written[0]["targets"], "copy", "LSTM")[0]["paper"] == "> 10"
    assert len(of(written[0]["targets"], "repeat copy", "LSTM")) == 5
    ngrams = of(written[0]["targets"], "dynamic N-grams", "LSTM")
    assert ngrams[0]["median"] == "7.000"


@pytest.mark.parametrize(
    ("task", "model", "sequences", "bits"),
    [
        ("copy", "LSTM", 100_000, 5.60),
        ("copy", "NTM-FF", 50_000, 0.52),
        ("repeat copy", "NTM-LSTM", 200_000, 1.5),
        ("associative recall", "NTM-FF", 50_000, 0.22),
        ("priority sort", "LSTM", 300_000, 85.2),
        ("dynamic N-grams", "LSTM", 100_000, 5.5),
    ],
)
def test_the_papers_numbers(task, model, sequences, bits, written):
    (row,) = (row for row in of(written[0]["targets"], task, model) if row["sequences"] == str(sequences))
    assert float(row["paper"]) == pytest.approx(bits, abs=0.06)


def test_generalisation_is_the_median_over_seeds_beside_figure_11(written):
    rows = of(written[0]["generalisation"], "copy", "NTM-LSTM")
    assert [row["setting"] for row in rows] == ["20", "120"]
    assert {name: rows[1][name] for name in ("seeds", "sequences", "median", "lowest", "highest", "wrong bits")} == {
        "seeds": "2",
        "sequences": "50",
        "median": "6.000",
        "lowest": "4.000",
        "highest": "8.000",
        "wrong bits": "3.000",
    }
    assert (rows[1]["perfect, %"], rows[1]["paper"], rows[1]["unfinished"]) == ("75.0", "", "")
    recall = of(written[0]["generalisation"], "associative recall", "NTM-LSTM")
    assert [(row["median"], row["paper"]) for row in recall] == [("0.250", "0.075"), ("1.000", "1.800")]
    assert recall[0]["unfinished"] == "seed 1: 60,000 of 1,000,000 sequences"
    (repeat,) = of(written[0]["generalisation"], "repeat copy", "NTM-FF")
    assert (repeat["setting"], repeat["median"]) == ("10 × 20", "5426.200")


def test_beyond_the_paper_is_the_median_over_the_seeds_tested_there(written):
    rows = of(written[0]["beyond"], "copy", "NTM-LSTM")
    assert len(rows) == len(written[0]["beyond"]) == 2
    assert [row[name] for row in rows for name in ("setting", "locations", "seeds", "median", "wrong bits")] == [
        *("200", "256", "2", "4.000", "2.000"),
        *("1000", "256", "1", "5.000", "2.500"),
    ]
    assert (rows[0]["perfect, %"], rows[0]["best seed, %"], rows[0]["worst seed, %"]) == ("75.0", "75.0", "75.0")


def test_runs_and_what_they_took(written):
    rows = written[0]["runs"]
    second = of(rows, "copy", "NTM-LSTM")[1]
    assert (second["wall hours"], second["threads"], second["core-hours"]) == ("1.00", "2", "2.00")
    assert second["sequences/s"] == "17"  # 60,000 in an hour
    assert of(rows, "copy", "NTM-LSTM")[2]["commit"] == "0123456789, changed"
    total = rows[-1]
    assert (total["task"], total["seed"], total["sequences"]) == ("total", "6 runs", "250000")
    assert (total["wall hours"], total["core-hours"]) == ("6.00", "7.00")


def test_a_run_recorded_without_git_has_no_commit(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [1.0], commit=None, dirty=None)
    tables.write(tmp_path, tmp_path)
    with (tmp_path / "runs.csv").open() as file:
        assert next(csv.DictReader(file))["commit"] == "–"


def test_seeds_of_different_settings_are_named(tmp_path):
    for seed in (1, 2, 3):
        folder = record(tmp_path, "copy", "ntm", seed, [1.0], planned=1_000_000)
        if seed > 1:
            text = (folder / "summary.json").read_text()
            (folder / "summary.json").write_text(text.replace('"anneal_to": 0', '"anneal_to": 1000000'))
    tables.write(tmp_path, tmp_path)
    difference = "`train.anneal_to` 0 (seed 1), 1,000,000 (seeds 2, 3)"
    note = f"- copy, NTM-LSTM: the seeds were trained with different settings: {difference}"
    for name in ("convergence", "targets"):
        assert note in (tmp_path / f"{name}.md").read_text().splitlines()


def test_markdown_has_the_numbers_of_the_csv(written):
    for name, rows in written[0].items():
        body = [line for line in written[1][name].splitlines() if line.startswith("| ")][2:]
        cells = [[cell.strip() for cell in line[1:-1].split("|")] for line in body]
        assert len(cells) == len(rows)
        for line, row in zip(cells, rows, strict=True):
            shown = ["" if cell == "–" else cell.replace(",", "") for cell in line]
            assert shown == [value.replace(",", "") for value in row.values()]


def test_what_is_missing_is_named_with_what_makes_it(written):
    notes = [line for line in written[1]["convergence"].splitlines() if line.startswith("- ")]
    assert "- copy, LSTM, not run yet: make reproduce TASKS=copy MODELS=lstm" in notes
    assert (
        "- copy, NTM-LSTM, seed 3: 10,000 of 60,000 sequences so far: make reproduce TASKS=copy MODELS=ntm SEEDS=3"
        in notes
    )
    assert not any(note.startswith("- repeat copy, NTM-FF") for note in notes)
