"""Tasks: the paper's five, one file each, and those of installed packages (entry points `ntm_repro.tasks`)."""

from ntm_repro.registry import Registry
from ntm_repro.tasks.base import Batch, Channels, Condition, Probe, Task

__all__ = ["Batch", "Channels", "Condition", "Probe", "Task", "find", "names"]

_REGISTRY = Registry(__name__, required=("TASK",))


def names() -> list[str]:
    """The names of all tasks: those of this package, then those of installed ones.

    >>> names()[:2]
    ['associative_recall', 'copy']
    """
    return _REGISTRY.names()


def find(name: str) -> type[Task]:
    """The task class of that name: `TASK` of `tasks/<name>.py`, or the value of an entry point.

    Raises `InvalidSetting` (a `ValueError`) for an unknown name, and for an entry point that is no task of its name.

    >>> find("copy")(max_length=5).max_length
    5
    """
    registered = _REGISTRY.find(name)
    task: type[Task] = registered.TASK if name in _REGISTRY.built_in else registered
    if name in _REGISTRY.built_in:
        return task
    is_task = (
        isinstance(registered, type) and issubclass(registered, Task) and getattr(registered, "name", None) == name
    )
    if not is_task:
        raise _REGISTRY.unfit(name, f"is no subclass of Task with the default name = {name!r}")
    return task
