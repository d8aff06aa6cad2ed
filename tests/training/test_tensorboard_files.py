"""The newest event file comes last by name, whatever the clock does."""

import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer import event_file_writer

from ntm_repro.training import metrics
from ntm_repro.training.loggers import TensorBoardLogger
from ntm_repro.training.tensorboard_files import rename_newer_than

NOW = 1_700_000_000


def names(folder):
    return [path.name for path in sorted(folder.iterdir())]


def test_older_files_keep_their_names(tmp_path):
    for second in (NOW - 5, NOW - 1):
        (tmp_path / f"events.out.tfevents.{second}.host.7.0").touch()
    before = names(tmp_path)
    rename_newer_than(tmp_path, NOW)
    assert names(tmp_path) == before


def test_files_of_the_future_come_before_now_in_their_order(tmp_path):
    for number, second in enumerate((NOW - 9, NOW, NOW + 1, NOW + 400)):
        (tmp_path / f"events.out.tfevents.{second}.host.7.{number}").write_text(str(number))
    rename_newer_than(tmp_path, NOW)
    assert all(name < f"events.out.tfevents.{NOW}" for name in names(tmp_path))
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["0", "1", "2", "3"]


def test_other_files_are_let_be(tmp_path):
    others = ["checkpoint.pt", "events.out.tfevents.9.host.7.0", "events.out.tfevents.99999999999.host.7.0"]
    for name in others:
        (tmp_path / name).touch()
    rename_newer_than(tmp_path, NOW)
    assert names(tmp_path) == sorted(others)


@pytest.mark.parametrize("jump", [-3600, 0], ids=["the clock set back", "in the same second"])
def test_a_curve_goes_on_after_the_clock_was_set_back(jump, tmp_path, monkeypatch):
    """Also in a container, where every process has the same number and files of one second have one name."""
    row = dict.fromkeys(metrics.COLUMNS, 0.5)
    for start, clock in ((0, NOW), (2, NOW + jump)):
        monkeypatch.setattr(time, "time", lambda clock=clock: clock)
        monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))
        sink = TensorBoardLogger(tmp_path, "a: 1", start)
        for sequences in (start + 1, start + 2):
            sink.row(row | {"sequences": sequences})
        sink.close()
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in board.Scalars("bits_per_sequence")] == [1, 2, 3, 4]
