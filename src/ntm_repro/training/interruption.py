"""Ctrl-C and SIGTERM ask a run to stop after the current update; a second one stops it at once.

So does a cluster's SIGUSR2, where a launcher has a handler for it that puts the job back into the queue: that gets it
once everything is saved.
"""

import os
import signal
from types import FrameType, TracebackType


class Interrupted(KeyboardInterrupt):
    """A run stopped on request, with everything saved. Not an `Exception`: it must end a whole sweep."""


class StopRequest:
    """Context in which the first SIGINT or SIGTERM sets `received` instead of ending the process.

    SIGUSR2 does likewise where somebody handles it, and is delivered anew as the context ends.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)
    REQUEUE = signal.SIGUSR2

    def __init__(self) -> None:
        self.received = False
        self._to_pass_on = False

    def __enter__(self) -> "StopRequest":
        handled = callable(signal.getsignal(self.REQUEUE))
        numbers = (*self.SIGNALS, self.REQUEUE) if handled else self.SIGNALS
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._to_pass_on = number == self.REQUEUE
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
        if self._to_pass_on:
            os.kill(os.getpid(), self.REQUEUE)
