"""What is written says what was measured."""

import csv
import io

from ntm_repro.bench import report
from ntm_repro.bench.cell import Measurement
from ntm_repro.bench.growth import Grown
from ntm_repro.bench.host import Machine, this_machine
from ntm_repro.bench.timing import Spread
from ntm_repro.environment import cores

MACHINE = Machine("2026-01-02", "Some CPU", 4, {"python": "3.12.1", "torch": "2.9"}, "abc123", 5e10)


def found(pair, batch=1, threads=1, **note):
    cell = {"pair": pair, "batch": batch, "threads": threads}
    return [
        Measurement(**cell, what="fused", rounds=9, ms=Spread(0.5, 0.4, 0.625), over_floor=3.21, ratio_to_fused=ONE),
        Measurement(**cell, what="eager", rounds=9, ms=Spread(20, 19, 21.04), ratio_to_fused=Spread(40, 39, 44)),
        Measurement(**cell, what="compile", note="n/a: no compiler"),
        Measurement(**cell, what="jax", rounds=9, ms=Spread(0.75, 0.7, 0.8), ratio_to_fused=Spread(1.5, 1.4, 1.6)),
        Measurement(**cell, what="end to end", rounds=5, ms=Spread(0.8, 0.7, 0.9), share_of_bare=Spread(0.9, 0.85, 1)),
    ]


ONE = Spread(1, 1, 1)
ALL = [*found("copy/ntm"), *found("copy/ntm_ff"), *found("repeat_copy/lstm", 16, 2)]


def tables(text):
    """{heading: list of rows as {column: cell}}"""
    parsed, heading, columns = {}, "", []
    for line in text.splitlines():
        if line.startswith("## "):
            heading, columns = line[3:], []
            parsed[heading] = []
        elif line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not columns:
                columns = cells
            elif not set(line) <= set("|-: "):
                parsed[heading].append(dict(zip(columns, cells, strict=True)))
    return parsed


def test_a_table_for_each_batch_size_and_number_of_threads():
    parsed = tables(report.as_markdown(ALL, MACHINE))
    assert {heading: [row["model"] for row in rows] for heading, rows in parsed.items()} == {
        "Batch 1, 1 thread": ["ntm", "ntm_ff"],
        "Batch 16, 2 threads": ["lstm"],
    }
    row = parsed["Batch 1, 1 thread"][0]
    assert row == {
        "task": "copy",
        "model": "ntm",
        "fused": "0.5 (0.4–0.625)",
        "× floor": "3.2",
        "eager": "20 (19–21), × 40 (39–44)",
        "compile": "n/a",
        "nn.LSTM": "",
        "jax": "0.75 (0.7–0.8), × 1.5 (1.4–1.6)",
        "end to end": "1250/s",
        "of bare": "90% (85%–100%)",
    }
    assert parsed["Batch 16, 2 threads"][0]["task"] == "repeat copy"


def test_the_page_says_where_when_and_why_not():
    text = report.as_markdown(ALL, MACHINE)
    for word in ("2026-01-02", "Some CPU, 4 cores", "50 billion", "python 3.12.1", "torch 2.9", "commit abc123"):
        assert word in text
    assert "- compile: n/a: no compiler (copy/ntm, copy/ntm_ff)" in text.splitlines()


def test_the_csv_has_a_row_for_each_measurement():
    rows = list(csv.DictReader(io.StringIO(report.as_csv(ALL))))
    assert len(rows) == len(ALL)
    fused, eager, compiled, jax, loop = rows[:5]
    assert (fused["pair"], fused["batch"], fused["threads"], fused["what"]) == ("copy/ntm", "1", "1", "fused")
    assert [float(fused[f"{which}_ms_per_sequence"]) for which in ("median", "q1", "q3")] == [0.5, 0.4, 0.625]
    assert float(fused["over_floor"]) == 3.21
    assert [float(eager[name]) for name in ("ratio_to_fused", "ratio_to_fused_q1", "ratio_to_fused_q3")] == [40, 39, 44]
    assert eager["ratio_to_eager"] == ""
    assert (compiled["median_ms_per_sequence"], compiled["note"]) == ("", "n/a: no compiler")
    assert (jax["median_ms_per_sequence"], jax["ratio_to_fused"]) == ("0.75", "1.5")
    assert [float(loop[name]) for name in ("share_of_bare", "share_of_bare_q1", "share_of_bare_q3")] == [0.9, 0.85, 1]


def test_one_line_for_a_cell():
    line = report.line(ALL[:5])
    assert line == (
        "copy/ntm, batch 1, 1 thread: fused 0.5 ms (× 3.2 floor), eager 20 ms (× 40.0), compile n/a: no compiler, "
        "jax 0.75 ms (× 1.5), end to end 0.8 ms (90% of bare)"
    )


def test_both_files_are_replaced(tmp_path):
    (tmp_path / report.MARKDOWN).write_text("old")
    report.write(tmp_path, ALL, MACHINE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.csv", "bench.md"]
    assert (tmp_path / report.MARKDOWN).read_text() == report.as_markdown(ALL, MACHINE)


def test_growth_is_a_table_and_a_file(tmp_path):
    grown = [Grown("steps", 10, 0.5, 350.4), Grown("steps", 10_000, 343.2, 587.0), Grown("heads", 1, 1.25, 349.0)]
    report.write(tmp_path, ALL, MACHINE, grown)
    lines = (tmp_path / "bench.md").read_text().splitlines()
    assert "| steps T | 10: 0.5 ms, 350 MB | 10,000: 343 ms, 587 MB |  |  |  |" in lines
    assert "| heads | 1: 1.25 ms, 349 MB |  |  |  |  |" in lines
    assert (tmp_path / "growth.csv").read_text().splitlines() == [
        "axis,value,ms,megabytes",
        "steps,10,0.5,350",
        "steps,10000,343.2,587",
        "heads,1,1.25,349",
    ]


def test_this_machine():
    machine = this_machine(1e9)
    assert machine.cpu
    assert machine.cores == cores() >= 1
    assert machine.commit
    assert "torch" in machine.versions
