"""Where metrics go: the record (metrics.csv), TensorBoard for watching, and the terminal."""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from ntm_repro.training import metrics, tensorboard_files
from ntm_repro.training.metrics import Row


class Logger(Protocol):
    """Takes rows as windows close, and pictures by name now and then. Every method may raise `OSError`."""

    def row(self, row: Row) -> None: ...

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None: ...

    def progress(self, sequences: int) -> None: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class NullLogger:
    """What a sink does unless it says otherwise: nothing."""

    def row(self, row: Row) -> None:
        pass

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        pass

    def progress(self, sequences: int) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class CsvLogger(NullLogger):
    """metrics.csv, cut back to the checkpoint from which a run goes on, then appended to."""

    def __init__(self, path: Path, columns: tuple[str, ...], resumed_at: int) -> None:
        self.columns = columns
        rows = metrics.read_rows(path, up_to=resumed_at) if resumed_at and path.exists() else []
        metrics.write_rows(path, columns, rows)
        self.file = path.open("a")

    def row(self, row: Row) -> None:
        self.file.write(",".join(str(row[name]) for name in self.columns) + "\n")
        self.file.flush()

    def flush(self) -> None:
        os.fsync(self.file.fileno())  # before a checkpoint claims that these rows exist

    def close(self) -> None:
        self.file.close()


class TensorBoardLogger(NullLogger):
    """Event files in the run's folder: scalars, pictures, hyperparameters, and the resolved config as text."""

    def __init__(self, folder: Path, config_text: str, resumed_at: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        tensorboard_files.rename_newer_than(folder, int(time.time()))
        # Hide what an earlier start logged past this point, or curves would double.
        purge_step = resumed_at + 1 if resumed_at else 0
        self.writer = SummaryWriter(str(folder), purge_step=purge_step)
        self.writer.add_text("config", f"```yaml\n{config_text}\n```", resumed_at)

    def row(self, row: Row) -> None:
        for name, value in row.items():
            if name != "sequences":
                self.writer.add_scalar(name, value, int(row["sequences"]))

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        for name, picture in pictures.items():
            self.writer.add_image(name, picture, sequences, dataformats="HWC")

    def hyperparameters(self, sequences: int, values: Mapping[str, Any], results: Mapping[str, float]) -> None:
        """One line of TensorBoard's HPARAMS table, in this run rather than in a sub-run as `add_hparams` would."""
        from torch.utils.tensorboard.summary import hparams

        assert self.writer.file_writer is not None
        for summary in hparams(dict(values), dict(results)):
            self.writer.file_writer.add_summary(summary)
        for name, value in results.items():
            self.writer.add_scalar(name, value, sequences)

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


class TerminalLogger(NullLogger):
    """A progress bar on a terminal; elsewhere one line per row."""

    def __init__(self, total: int, resumed_at: int) -> None:
        self.bar = tqdm(
            total=total, initial=min(resumed_at, total), unit="seq", smoothing=0.05, dynamic_ncols=True, disable=None
        )

    def row(self, row: Row) -> None:
        if self.bar.disable:
            print(
                f"{row['sequences']:>9,} sequences  {row['bits_per_sequence']:9.4f} bits/sequence  "
                f"{row['error_bits']:8.3f} wrong bits  {row['sequences_per_second']:7.1f} sequences/s",
                flush=True,
            )
        else:
            self.bar.set_postfix_str(f"{row['bits_per_sequence']:.4f} bits/sequence")

    def progress(self, sequences: int) -> None:
        self.bar.update(sequences)

    def close(self) -> None:
        self.bar.close()
        sys.stderr.flush()


class Loggers(NullLogger):
    """Several sinks as one, in the order in which they were added."""

    def __init__(self, *sinks: Logger) -> None:
        self.sinks = list(sinks)

    def add(self, sink: Logger) -> None:
        self.sinks.append(sink)

    def row(self, row: Row) -> None:
        for sink in self.sinks:
            sink.row(row)

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        for sink in self.sinks:
            sink.pictures(sequences, pictures)

    def progress(self, sequences: int) -> None:
        for sink in self.sinks:
            sink.progress(sequences)

    def flush(self) -> None:
        for sink in self.sinks:
            sink.flush()

    def close(self) -> None:
        """Close every one, even where closing another fails (on a full disk, say)."""
        with ExitStack() as stack:
            for sink in reversed(self.sinks):
                stack.callback(sink.close)
