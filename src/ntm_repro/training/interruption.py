"""Ctrl-C and SIGTERM ask a run to stop after the current update; a second one stops it at once."""

import signal
from types import FrameType, TracebackType


class Interrupted(KeyboardInterrupt):
    """A run stopped on request, with everything saved. Not an `Exception`: it must end a whole sweep."""


class StopRequest:
    """Context in which the first SIGINT or SIGTERM sets `received` instead of ending the process."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received = False

    def __enter__(self) -> "StopRequest":
        self._before = {number: signal.signal(number, self._note) for number in self.SIGNALS}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
