"""A table as Markdown and as CSV, from one list of rows: the same numbers, to the same digit."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ntm_repro.files import write_text

Cell = str | float | None
Row = Mapping[str, Cell]
MISSING = "–"


class Column(NamedTuple):
    """`form` formats the column's numbers, in Markdown with thousands separators where it has ','; text has none."""

    heading: str
    form: str = ""


class Table(NamedTuple):
    """`rows` by the columns' headings, a column that a row lacks is empty; `caption` above it, `notes` below."""

    name: str
    title: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()


def write(folder: Path, table: Table) -> list[Path]:
    """Replace <name>.md and <name>.csv in `folder`. Raises `OSError`."""
    contents = {folder / f"{table.name}.md": as_markdown(table), folder / f"{table.name}.csv": as_csv(table)}
    for path, text in contents.items():
        write_text(path, text)
    return list(contents)


def as_markdown(table: Table) -> str:
    """Title, caption, table, notes; numbers to the right."""
    notes = ["", *(f"- {note}" for note in table.notes)] if table.notes else []
    return "\n".join([f"# {table.title}", "", table.caption, "", *lines(table.columns, table.rows), *notes]) + "\n"


def lines(columns: Sequence[Column], rows: Sequence[Row]) -> list[str]:
    """A table alone in Markdown, line by line."""
    headings = [column.heading for column in columns]
    rules = ["--:" if column.form else "---" for column in columns]
    cells = [[printed(row.get(column.heading), column.form) for column in columns] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (headings, rules, *cells)]


def as_csv(table: Table) -> str:
    """The same cells for programs: no thousands separators, what is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.heading for column in table.columns)
    for row in table.rows:
        writer.writerow(printed(row.get(column.heading), column.form.replace(",", ""), "") for column in table.columns)
    return text.getvalue()


def printed(cell: Cell, form: str, missing: str = MISSING) -> str:
    """A cell as printed: numbers by `form`, text as it is."""
    if cell is None:
        return missing
    return cell if isinstance(cell, str) else format(cell, form)
