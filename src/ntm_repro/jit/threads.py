"""Sharing work among threads. Compiled code lets other threads run, so Python's own serve."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, partial
from threading import Lock
from typing import Any

import torch

# Torch's own threads do not outlive a fork, and a child whose first parallel operation waits for them hangs. So it
# begins with one, as workers of torch's DataLoader do.
os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))

# Fewer numbers than this are not worth a second thread: to wake one takes up to a tenth of a millisecond.
WORTH_SHARING = 1 << 20


def parts_for(count: int) -> int:
    """How many threads a pass over `count` numbers is worth, of those that torch may use."""
    return torch.get_num_threads() if count >= WORTH_SHARING else 1


@cache
def _together(process: int) -> Lock:
    return Lock()


@cache
def _pool(helpers: int, process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(helpers, thread_name_prefix="ntm-kernel")


def share(function: Callable[..., Any], parts: int, *arguments: Any) -> None:
    """Call `function(*arguments, part, parts)` for every part; the last one here, the others on helper threads."""
    if parts == 1:
        function(*arguments, 0, 1)
        return
    pool = _pool(parts - 1, os.getpid())  # a forked process has none of its parent's threads
    others = [pool.submit(function, *arguments, part, parts) for part in range(parts - 1)]
    try:
        function(*arguments, parts - 1, parts)
    finally:
        wait(others)  # whatever happens, no thread still writes into the caller's buffers
    for other in others:
        other.result()


def share_together(function: Callable[..., Any], parts: int, *arguments: Any) -> None:
    """The same for parts that wait for each other (`barrier`): all of them run at the same time.

    One such call at a time: of two that took turns with the pool's threads, each could wait for ever for the other's.
    """
    with _together(os.getpid()):
        share(function, parts, *arguments)
