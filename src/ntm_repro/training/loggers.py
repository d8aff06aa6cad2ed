"""Where metrics go: the record (metrics.csv), TensorBoard for watching, and the terminal."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tqdm import tqdm

from ntm_repro.files import write_text
from ntm_repro.training import metrics, tensorboard_files
from ntm_repro.training.metrics import Row


class Logger:
    """Takes what a run has to say; this one ignores all of it. Every method may raise `OSError`."""

    def row(self, row: Row) -> None:
        """Take the metrics of a window that has just closed."""

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        """Take pictures (uint8 [Y, X, 3]) by name, made after so many sequences."""

    def progress(self, sequences: int) -> None:
        """Note that so many more sequences were trained."""

    def flush(self) -> None:
        """Hand everything over to the operating system, to disk where it is the record."""

    def close(self) -> None:
        """Flush and release files; nothing may be logged afterwards."""


class CsvLogger(Logger):
    """metrics.csv, cut back to the checkpoint from which a run resumes, then appended to.

    A flush puts it back where somebody has removed it meanwhile, or replaced it as editors do: no row is lost.
    """

    def __init__(self, path: Path, columns: tuple[str, ...], resumed_at: int) -> None:
        self.path, self.columns = path, columns
        rows = metrics.read_rows(path, up_to=resumed_at) if resumed_at and path.exists() else []
        metrics.write_rows(path, columns, rows)
        self.file = path.open("a+")

    def row(self, row: Row) -> None:
        self.file.write(",".join(str(row[name]) for name in self.columns) + "\n")
        self.file.flush()

    def flush(self) -> None:
        if not self._is_there():
            self.file.seek(0)
            write_text(self.path, self.file.read())
            self.file.close()
            self.file = self.path.open("a+")
        os.fsync(self.file.fileno())  # before a checkpoint claims that these rows exist

    def _is_there(self) -> bool:
        """Whether the file that is written is still the one of that name."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        self.file.close()


class TensorBoardLogger(Logger):
    """Event files in the run's folder: scalars, pictures, hyperparameters, and the resolved config as text."""

    def __init__(self, folder: Path, config_text: str, resumed_at: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        tensorboard_files.rename_newer_than(folder, int(time.time()))
        # Hide what an earlier start logged past this point, or curves would double.
        purge_step = resumed_at + 1 if resumed_at else 0
        self.files = ExitStack()
        self.writer = SummaryWriter(_encodable(folder, self.files), purge_step=purge_step)
        self.writer.add_text("config", f"```yaml\n{config_text}\n```", resumed_at)

    def row(self, row: Row) -> None:
        for name, value in row.items():
            if name != "sequences":
                self.writer.add_scalar(name, value, int(row["sequences"]))

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        for name, picture in pictures.items():
            self.writer.add_image(name, picture, sequences, dataformats="HWC")

    def hyperparameters(self, sequences: int, values: Mapping[str, Any], results: Mapping[str, float | None]) -> None:
        """One line of TensorBoard's HPARAMS table, in this run rather than in a sub-run as `add_hparams` would.

        results: by name, None for what the run has not. All are named all the same: TensorBoard takes the columns of a
        whole sweep from one of its runs.
        """
        from torch.utils.tensorboard.summary import hparams

        assert self.writer.file_writer is not None
        for summary in hparams(dict(values), dict.fromkeys(results, 0.0)):
            self.writer.file_writer.add_summary(summary)
        for name, value in results.items():
            if value is not None:
                self.writer.add_scalar(name, value, sequences)

    def flush(self) -> None:
        self.writer.flush()

    def close(self) -> None:
        with self.files:
            self.writer.close()


def _encodable(folder: Path, files: ExitStack) -> str:
    """A name of the folder that TensorBoard can encode as UTF-8; what it needs stays open until `files` is closed."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:  # bytes that Python could not decode: under LC_ALL=C all beyond ASCII
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        files.callback(os.close, descriptor)
        return f"/proc/self/fd/{descriptor}"
    return str(folder)


class TerminalLogger(Logger):
    """A progress bar on a terminal; elsewhere one line per row."""

    def __init__(self, total: int, resumed_at: int) -> None:
        sized = _has_width(sys.stderr)
        self.bar = tqdm(
            total=total,
            initial=min(resumed_at, total),
            unit="seq",
            smoothing=0.05,
            dynamic_ncols=sized,
            ncols=None if sized else shutil.get_terminal_size().columns,
            nrows=None if sized else shutil.get_terminal_size().lines,
            disable=None,
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


def _has_width(stream: TextIO | None) -> bool:
    """Whether a terminal says how wide it is; those of containers and `script` may say 0, in which no bar would fit."""
    try:
        return stream is not None and os.get_terminal_size(stream.fileno()).columns > 0
    except (OSError, ValueError):  # no terminal, or closed
        return False


class Judge(Logger):
    """Asks `is_hopeless` about all rows so far after each of them; `gave_up` once the answer is yes."""

    def __init__(self, is_hopeless: Callable[[Sequence[Row]], bool], rows: Sequence[Row]) -> None:
        self.is_hopeless = is_hopeless
        self.rows = list(rows)
        self.gave_up = False

    def row(self, row: Row) -> None:
        self.rows.append(row)
        self.gave_up = self.gave_up or self.is_hopeless(self.rows)


class Loggers(Logger):
    """Several loggers as one, called in the order in which they were added."""

    def __init__(self, *loggers: Logger) -> None:
        self._loggers = list(loggers)

    def add(self, logger: Logger) -> None:
        """Log to this one as well from now on."""
        self._loggers.append(logger)

    def row(self, row: Row) -> None:
        for logger in self._loggers:
            logger.row(row)

    def pictures(self, sequences: int, pictures: Mapping[str, np.ndarray]) -> None:
        for logger in self._loggers:
            logger.pictures(sequences, pictures)

    def progress(self, sequences: int) -> None:
        for logger in self._loggers:
            logger.progress(sequences)

    def flush(self) -> None:
        for logger in self._loggers:
            logger.flush()

    def close(self) -> None:
        """Close every logger, even if closing another one fails, for instance on a full disk."""
        with ExitStack() as stack:
            for logger in reversed(self._loggers):
                stack.callback(logger.close)
