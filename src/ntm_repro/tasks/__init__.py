"""The paper's tasks, one file each. A task is found by its file's name."""

from importlib import import_module

from ntm_repro.tasks.base import Batch, Probe, Setting, Task

__all__ = ["Batch", "Probe", "Setting", "Task", "find"]


def find(name: str) -> type[Task]:
    """The task class in `tasks/<name>.py`."""
    task: type[Task] = import_module(f"{__name__}.{name}").TASK
    return task
