"""Ctrl-C, SIGTERM and SIGHUP ask a run to stop after the current updates; a second Ctrl-C or SIGTERM stops it at once.

So does a cluster's SIGUSR2, where a launcher has a handler for it that puts the job back into the queue: that gets it
once everything is saved. Compiled code makes updates in blocks of some twentieth of a second at most; a signal waits
for the end of one.
"""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupted(KeyboardInterrupt):
    """A run stopped on request, with everything saved. Not an `Exception`: it must end a whole sweep."""


class StopRequest:
    """Context in which the first SIGINT, SIGTERM or SIGHUP sets `received` instead of ending the process.

    SIGHUP, which a terminal sends that hangs up, never ends it: shell and kernel may both send one, at the same time.
    Where it is ignored (nohup) it stays so. SIGUSR2 is noted where somebody handles it, and is delivered anew as the
    context ends. In a thread that is not the main one no signal can be handled, and none is.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)
    HANGUP = signal.SIGHUP
    REQUEUE = signal.SIGUSR2

    def __init__(self) -> None:
        self.received = False
        self._to_pass_on = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            for number in self._numbers():
                self._before[number] = signal.signal(number, self._note)
        return self

    def _numbers(self) -> tuple[signal.Signals, ...]:
        hangup = (self.HANGUP,) if signal.getsignal(self.HANGUP) is not signal.SIG_IGN else ()
        requeue = (self.REQUEUE,) if callable(signal.getsignal(self.REQUEUE)) else ()
        return (*self.SIGNALS, *hangup, *requeue)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._to_pass_on = self._to_pass_on or number == self.REQUEUE
        self._restore(but=self.HANGUP)

    def _restore(self, but: signal.Signals | None = None) -> None:
        for number, handler in self._before.items():
            if number != but:
                signal.signal(number, handler)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()
        if self._to_pass_on:
            os.kill(os.getpid(), self.REQUEUE)
