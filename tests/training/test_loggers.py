"""Where the rows go. TensorBoard's files are read back in test_run.py."""

import contextlib
import io
import os

import numpy as np
import pytest

from ntm_repro.training import metrics
from ntm_repro.training.loggers import CsvLogger, Logger, Loggers, TerminalLogger

COLUMNS = metrics.columns(has_optimum=False)


def row(sequences, bits=1 / 3):
    return dict(zip(COLUMNS, (sequences, bits, 2.5, 0.1, 3.0, 1e-4, 812.34, 1.5), strict=True))


# metrics.csv


def test_a_row_is_in_the_file_as_soon_as_it_is_given(tmp_path):
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, COLUMNS, resumed_at=0)
    assert path.read_text() == ",".join(COLUMNS) + "\n"
    sink.row(row(10))
    assert metrics.read_rows(path) == [row(10)]
    sink.row(row(20))
    assert metrics.read_rows(path) == [row(10), row(20)]
    sink.close()
    assert path.read_text().count("\n") == 3


def test_a_flush_brings_the_rows_to_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, COLUMNS, resumed_at=0)
    sink.row(row(10))
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file)))
    sink.flush()
    sink.close()
    assert [(found.st_ino, found.st_size) for found in synced] == [(path.stat().st_ino, path.stat().st_size)]


def removed(path):
    path.unlink()


def replaced(path):
    """As an editor does that saves it."""
    path.with_name("other").write_text("edited\n")
    path.with_name("other").replace(path)


@pytest.mark.parametrize("lost", [removed, replaced])
def test_a_record_that_somebody_takes_away_is_put_back_whole(tmp_path, lost):
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, COLUMNS, resumed_at=0)
    sink.row(row(10))
    lost(path)
    sink.row(row(20))
    sink.flush()
    assert [found["sequences"] for found in metrics.read_rows(path)] == [10, 20]
    sink.row(row(30))
    sink.close()
    assert [found["sequences"] for found in metrics.read_rows(path)] == [10, 20, 30]


def test_a_folder_that_somebody_takes_away_is_an_error(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    sink = CsvLogger(folder / "metrics.csv", COLUMNS, resumed_at=0)
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        sink.flush()
    sink.close()


def test_rows_are_written_alike_however_they_get_there(tmp_path):
    """A resumed run rewrites the rows before it; the file must not show where that was."""
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, COLUMNS, resumed_at=0)
    sink.row(row(10, bits=1e-07))
    sink.row(row(20, bits=123456789.0))
    sink.close()
    before = path.read_bytes()
    CsvLogger(path, COLUMNS, resumed_at=20).close()
    assert path.read_bytes() == before


def test_columns_keep_their_order_whatever_that_of_the_row(tmp_path):
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, COLUMNS, resumed_at=0)
    sink.row(dict(reversed(row(10).items())))
    sink.close()
    assert metrics.read_rows(path) == [row(10)]


def test_the_optimum_has_a_column_of_its_own(tmp_path):
    path = tmp_path / "metrics.csv"
    sink = CsvLogger(path, metrics.columns(has_optimum=True), resumed_at=0)
    sink.row(row(10) | {"optimum_bits": 133.5})
    sink.close()
    assert metrics.read_rows(path) == [row(10) | {"optimum_bits": 133.5}]


@pytest.fixture
def three_rows(tmp_path):
    path = tmp_path / "metrics.csv"
    metrics.write_rows(path, COLUMNS, [row(10), row(20), row(30)])
    return path


def test_a_resumed_run_cuts_back_to_its_checkpoint_and_goes_on_from_there(three_rows):
    sink = CsvLogger(three_rows, COLUMNS, resumed_at=25)
    assert metrics.read_rows(three_rows) == [row(10), row(20)]
    sink.row(row(30, bits=0.5))
    sink.close()
    assert metrics.read_rows(three_rows) == [row(10), row(20), row(30, bits=0.5)]


def test_a_resumed_run_loses_a_torn_row(three_rows):
    with three_rows.open("a") as file:
        file.write("40,0.33")
    sink = CsvLogger(three_rows, COLUMNS, resumed_at=45)
    sink.row(row(50))
    sink.close()
    assert metrics.read_rows(three_rows) == [row(10), row(20), row(30), row(50)]


def test_a_run_that_begins_again_begins_its_record_again(three_rows):
    CsvLogger(three_rows, COLUMNS, resumed_at=0).close()
    assert metrics.read_rows(three_rows) == []


def test_a_resumed_run_whose_record_is_gone_begins_a_new_one(tmp_path):
    CsvLogger(tmp_path / "metrics.csv", COLUMNS, resumed_at=20).close()
    assert (tmp_path / "metrics.csv").read_text() == ",".join(COLUMNS) + "\n"


# The terminal


class Terminal(io.StringIO):
    """What a program takes for a terminal."""

    def isatty(self):
        return True


def test_off_a_terminal_each_row_is_one_line_and_there_is_no_bar(capsys):
    sink = TerminalLogger(total=100, resumed_at=0)
    for sequences in (10, 20):
        sink.progress(10)
        sink.row(row(sequences))
    sink.close()
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        f"{sequences} sequences 0.3333 bits/sequence 2.500 wrong bits 812.3 sequences/s".split()
        for sequences in (10, 20)
    ]
    assert err == ""


def test_lines_of_a_long_run_are_aligned(capsys):
    sink = TerminalLogger(total=1_000_000, resumed_at=0)
    sink.row(row(1_000))
    sink.row(row(1_000_000, bits=0.0))
    sink.close()
    first, second = capsys.readouterr().out.splitlines()
    assert len(first) == len(second)
    assert "1,000,000 sequences" in second


@pytest.fixture
def terminal(monkeypatch):
    """A function that puts a terminal in the place of stderr; to be called in the test, as pytest resets stderr."""
    # tqdm's monitor thread would outlive the test.
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)

    def make():
        screen = Terminal()
        monkeypatch.setattr("sys.stderr", screen)
        return screen

    return make


def test_on_a_terminal_there_is_a_bar_and_no_line(capsys, terminal):
    screen = terminal()
    sink = TerminalLogger(total=100, resumed_at=0)
    sink.progress(40)
    sink.row(row(40))
    sink.close()
    assert capsys.readouterr().out == ""
    shown = screen.getvalue()
    assert "40/100" in shown
    assert "0.3333 bits/sequence" in shown
    assert "seq" in shown


def test_the_bar_of_a_resumed_run_begins_where_it_stopped(terminal):
    screen = terminal()
    sink = TerminalLogger(total=100, resumed_at=60)
    sink.progress(20)
    sink.close()
    assert "80/100" in screen.getvalue()


def test_the_bar_of_a_run_with_more_sequences_than_wanted_is_full(terminal):
    screen = terminal()
    TerminalLogger(total=100, resumed_at=160).close()
    assert "100/100" in screen.getvalue()


def test_a_terminal_that_says_it_is_0_columns_wide_shows_the_bar(monkeypatch):
    """As terminals of containers, of `script` and of some CI systems do."""
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)
    monkeypatch.setenv("COLUMNS", "70")
    ours, theirs = os.openpty()  # 0 × 0 until somebody sets its size
    with open(theirs, "w") as screen, monkeypatch.context() as patch:  # noqa: PTH123 — of a descriptor
        assert os.get_terminal_size(theirs).columns == 0
        patch.setattr("sys.stderr", screen)
        sink = TerminalLogger(total=100, resumed_at=0)
        sink.progress(40)
        sink.row(row(40))
        sink.close()
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal ends that nobody writes to any more
        while chunk := os.read(ours, 4096):
            shown += chunk
    os.close(ours)
    assert b"40/100" in shown


# Several


def test_several_sinks_all_get_everything_in_order(recorder):
    several = [recorder(), recorder()]
    sinks = Loggers(*several)
    picture = {"a": np.zeros((1, 1, 3), np.uint8)}
    sinks.progress(3)
    sinks.row(row(10))
    sinks.pictures(10, picture)
    sinks.flush()
    sinks.close()
    for sink in several:
        assert sink.calls == [("progress", 3), ("row", row(10)), ("pictures", 10, picture), ("flush",), ("close",)]


def test_a_sink_added_later_gets_what_comes_after(recorder):
    first, second = recorder(), recorder()
    sinks = Loggers(first)
    sinks.progress(1)
    sinks.add(second)
    sinks.progress(2)
    assert first.calls == [("progress", 1), ("progress", 2)]
    assert second.calls == [("progress", 2)]


def test_a_sink_does_nothing_unless_it_says_otherwise():
    sink = Logger()
    assert [sink.row(row(10)), sink.pictures(1, {}), sink.progress(1), sink.flush(), sink.close()] == [None] * 5


def test_all_sinks_are_closed_even_if_one_cannot_be(recorder):
    """On a full disk the first to write what it still holds fails; the bar must not stay on the screen."""

    class Failing(Logger):
        def close(self):
            raise OSError("full")

    last = recorder()
    with pytest.raises(OSError, match="full"):
        Loggers(Failing(), last).close()
    assert last.calls == [("close",)]
