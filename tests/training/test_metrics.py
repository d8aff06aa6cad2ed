"""Means over windows, and the record they are kept in."""

import csv
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.window_rows import rows_of

from ntm_repro.training import metrics
from ntm_repro.training.metrics import Window, read_rows, write_rows

NAMES = "sequences,bits_per_sequence,error_bits,grad_norm,grad_norm_max,learning_rate,sequences_per_second,wall_seconds"


# Windows


def test_a_row_has_means_over_sequences_for_bits_and_over_updates_for_gradients():
    window = Window(opened_at=100.0)
    window.add(1, bits=10.0, error_bits=2.0, optimum_bits=4.0, grad_norm=1.0)
    window.add(3, bits=14.0, error_bits=4.0, optimum_bits=6.0, grad_norm=2.0)
    assert window.row(4, learning_rate=3e-5, wall_seconds=108.0, has_optimum=True) == {
        "sequences": 4,
        "bits_per_sequence": 6.0,
        "error_bits": 1.5,
        "grad_norm": 1.5,
        "grad_norm_max": 2.0,
        "learning_rate": 3e-5,
        "sequences_per_second": 0.5,
        "wall_seconds": 108.0,
        "optimum_bits": 2.5,
    }


def test_the_largest_gradient_may_come_at_any_time():
    for norms in ([5.0, 1.0, 2.0], [1.0, 5.0, 2.0], [1.0, 2.0, 5.0]):
        window = Window()
        for norm in norms:
            window.add(1, 0.0, 0.0, 0.0, norm)
        assert window.row(3, 1e-4, 1.0, False)["grad_norm_max"] == 5.0


@pytest.mark.parametrize("has_optimum", [False, True])
def test_a_row_has_the_columns_of_the_record_in_order(has_optimum):
    window = Window()
    window.add(1, 1.0, 1.0, 1.0, 1.0)
    assert tuple(window.row(1, 1e-4, 1.0, has_optimum)) == metrics.columns(has_optimum)
    assert ",".join(metrics.columns(has_optimum)) == (NAMES + ",optimum_bits" if has_optimum else NAMES)


def test_a_window_that_took_no_time_has_a_finite_speed():
    window = Window(opened_at=5.0)
    window.add(1, 1.0, 1.0, 1.0, 1.0)
    assert math.isfinite(window.row(1, 1e-4, 5.0, False)["sequences_per_second"])


updates = st.lists(
    st.tuples(st.integers(1, 64), *[st.floats(0, 1e3)] * 4),
    min_size=1,
    max_size=20,
)


@given(updates)
def test_a_row_of_any_updates(updates):
    window = Window()
    for update in updates:
        window.add(*update)
    row = window.row(1_000, 1e-4, 1.0, True)
    counts, bits, error_bits, optimum_bits, norms = zip(*updates, strict=True)
    assert row["bits_per_sequence"] == pytest.approx(math.fsum(bits) / sum(counts), rel=1e-12)
    assert row["error_bits"] == pytest.approx(math.fsum(error_bits) / sum(counts), rel=1e-12)
    assert row["optimum_bits"] == pytest.approx(math.fsum(optimum_bits) / sum(counts), rel=1e-12)
    assert row["grad_norm"] == pytest.approx(math.fsum(norms) / len(updates), rel=1e-12)
    assert row["grad_norm_max"] == max(norms)
    assert row["sequences_per_second"] == sum(counts)


# The record


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.lists(numbers, min_size=8, max_size=8), max_size=5))
@settings(max_examples=50)
def test_every_number_comes_back_exactly(tmp_path_factory, values):
    columns = metrics.columns(has_optimum=True)
    rows = [dict(zip(columns, [10 * (i + 1), *line], strict=True)) for i, line in enumerate(values)]
    path = tmp_path_factory.mktemp("record") / "metrics.csv"
    write_rows(path, columns, rows)
    assert read_rows(path) == rows
    assert all(isinstance(row["sequences"], int) for row in read_rows(path))


def test_the_record_is_plain_comma_separated_text(tmp_path):
    rows = [{"sequences": 1_000, "bits_per_sequence": 0.1}, {"sequences": 2_000, "bits_per_sequence": 1e-07}]
    write_rows(tmp_path / "metrics.csv", ("sequences", "bits_per_sequence"), rows)
    assert (tmp_path / "metrics.csv").read_bytes() == b"sequences,bits_per_sequence\n1000,0.1\n2000,1e-07\n"


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "metrics.csv").write_text("")
    assert read_rows(tmp_path / "metrics.csv") == []


def test_a_header_alone_has_no_rows(tmp_path):
    (tmp_path / "metrics.csv").write_text(NAMES + "\n")
    assert read_rows(tmp_path / "metrics.csv") == []


@pytest.mark.parametrize(("up_to", "expected"), [(0, []), (9, []), (10, [10]), (29, [10, 20]), (30, [10, 20, 30])])
def test_rows_past_a_checkpoint_are_left_out(tmp_path, up_to, expected):
    rows = [dict.fromkeys(metrics.COLUMNS, 1.0) | row for row in rows_of((10, 1.0), (10, 2.0), (10, 3.0))]
    write_rows(tmp_path / "metrics.csv", metrics.COLUMNS, rows)
    assert read_rows(tmp_path / "metrics.csv", up_to) == rows[: len(expected)]
    assert [row["sequences"] for row in read_rows(tmp_path / "metrics.csv", up_to)] == expected
    assert read_rows(tmp_path / "metrics.csv") == rows


TORN_ROWS = [
    dict(zip(NAMES.split(","), [10 * (i + 1), 12.5, -3e-07, 0.25, 1e22, 1e-4, 33.75, 123.0625 + i], strict=True))
    for i in range(3)
]


def test_a_last_line_torn_anywhere_is_left_out(tmp_path):
    """Torn inside a number it would be another number, as in 12 for 123.0625, or none at all, as in 1e-."""
    path = tmp_path / "metrics.csv"
    write_rows(path, tuple(TORN_ROWS[0]), TORN_ROWS)
    whole = path.read_bytes()
    begin = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(begin, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert read_rows(path) == TORN_ROWS[:2], whole[begin:end]


def test_a_last_line_torn_between_its_numbers_is_left_out(tmp_path):
    path = tmp_path / "metrics.csv"
    write_rows(path, tuple(TORN_ROWS[0]), TORN_ROWS)
    whole = path.read_bytes()
    for end in range(whole.rstrip(b"\n").rindex(b"\n") + 1, whole.rindex(b",")):
        path.write_bytes(whole[:end])
        assert read_rows(path) == TORN_ROWS[:2]


def test_zeros_that_a_power_cut_leaves_at_the_end_are_left_out(tmp_path):
    """Some file systems have made the file longer when the power fails, but not yet written what goes there."""
    path = tmp_path / "metrics.csv"
    for ending in (b"\0" * 40, b"30,12.5" + b"\0" * 40, b",".join([b"\0"] * 8)):
        write_rows(path, tuple(TORN_ROWS[0]), TORN_ROWS[:2])
        with path.open("ab") as file:
            file.write(ending)
        assert read_rows(path) == TORN_ROWS[:2]


@pytest.mark.parametrize("garbage", [b"\0" * 40, b"", b"30,12.5", b"30,,,,,,,", b"\xff\xfe,1,1,1,1,1,1,1"])
def test_the_record_ends_where_it_is_broken(tmp_path, garbage):
    """What comes after a broken line cannot be said to follow on what came before it."""
    path = tmp_path / "metrics.csv"
    write_rows(path, tuple(TORN_ROWS[0]), TORN_ROWS)
    *before, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(before) + garbage + b"\n" + last)
    assert read_rows(path) == TORN_ROWS[:2]


def test_a_torn_header_has_no_rows(tmp_path):
    for end in range(len(NAMES)):
        (tmp_path / "metrics.csv").write_text(NAMES[:end])
        assert read_rows(tmp_path / "metrics.csv") == []


def test_the_record_can_be_read_without_us(tmp_path):
    write_rows(tmp_path / "metrics.csv", tuple(TORN_ROWS[0]), TORN_ROWS)
    with (tmp_path / "metrics.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [{name: float(value) for name, value in row.items()} for row in found] == TORN_ROWS
