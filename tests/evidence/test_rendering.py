"""One list of rows, two files with the same numbers."""

import csv
import io

import pytest
from support.helpers import files_no_longer_than

from ntm_repro.evidence import rendering
from ntm_repro.evidence.rendering import Column, Table

TABLE = Table(
    "name",
    "Title",
    "What it is.",
    [Column("who"), Column("count", ",d"), Column("bits, mean", ",.3f")],
    [
        {"who": "a", "count": 1_234_567, "bits, mean": 1234.56789},
        {"who": "b", "count": None, "bits, mean": "> 10"},
        {"who": "c"},
    ],
    ["to be done"],
)


def test_markdown():
    assert rendering.as_markdown(TABLE).splitlines() == [
        "# Title",
        "",
        "What it is.",
        "",
        "| who | count | bits, mean |",
        "| --- | --: | --: |",
        "| a | 1,234,567 | 1,234.568 |",
        "| b | – | > 10 |",
        "| c | – | – |",
        "",
        "- to be done",
    ]


def test_csv():
    assert list(csv.reader(io.StringIO(rendering.as_csv(TABLE)))) == [
        ["who", "count", "bits, mean"],
        ["a", "1234567", "1234.568"],
        ["b", "", "> 10"],
        ["c", "", ""],
    ]


def test_both_files_are_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "name.md").write_text("old")
    with files_no_longer_than(20), pytest.raises(OSError, match="too large"):
        rendering.write(tmp_path, TABLE)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("name.md", "old")]
    assert rendering.write(tmp_path, TABLE) == [tmp_path / "name.md", tmp_path / "name.csv"]
    assert (tmp_path / "name.md").read_text() == rendering.as_markdown(TABLE)
    assert (tmp_path / "name.csv").read_text() == rendering.as_csv(TABLE)
