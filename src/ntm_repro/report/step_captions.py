"""What happens at each step of a task's sequence, in a few words."""

from collections.abc import Callable

from ntm_repro.tasks import Setting
from ntm_repro.tasks.associative_recall import VECTORS


def phases(task: str, setting: Setting) -> list[str]:
    """A phrase for each of the T steps of a sequence with `setting`; the layouts are drawn in the tasks' docstrings."""
    return PHASES[task](setting)


def extent(task: str, setting: Setting) -> str:
    """How long a sequence with `setting` is, in the task's own measure."""
    return EXTENTS[task](setting)


def _copy(length: int) -> list[str]:
    shown = [f"vector {i} of {length} is shown" for i in range(1, length + 1)]
    return ["start flag", *shown, "end flag", *(f"answer: vector {i} of {length}" for i in range(1, length + 1))]


def _repeat_copy(setting: tuple[int, int]) -> list[str]:
    length, repeats = setting
    shown = [f"vector {i} of {length} is shown" for i in range(1, length + 1)]
    given = [
        f"answer: vector {i} of {length}, time {n} of {repeats}"
        for n in range(1, repeats + 1)
        for i in range(1, length + 1)
    ]
    return ["start flag", *shown, f"the count, {repeats}, is told", *given, "answer: the end marker"]


def _associative_recall(items: int) -> list[str]:
    vectors = range(1, VECTORS + 1)
    shown = [
        phrase
        for item in range(1, items + 1)
        for phrase in (f"flag: item {item} of {items} follows", *(f"item {item}, vector {v} is shown" for v in vectors))
    ]
    query = ["flag: the query follows", *(f"query, vector {v} is shown" for v in vectors), "flag: the query ends"]
    return [*shown, *query, *(f"answer: vector {v} of the item after the query" for v in vectors)]


def _dynamic_ngrams(length: int) -> list[str]:
    return [f"answer: bit {i} of {length} is predicted from those before" for i in range(1, length + 1)]


def _priority_sort(setting: tuple[int, int]) -> list[str]:
    vectors, highest = setting
    shown = [f"vector {i} of {vectors} is shown with its priority" for i in range(1, vectors + 1)]
    given = [f"answer: the vector of rank {i} among the highest {highest}" for i in range(1, highest + 1)]
    return [*shown, "end flag", *given]


PHASES: dict[str, Callable[[Setting], list[str]]] = {
    "copy": _copy,
    "repeat_copy": _repeat_copy,
    "associative_recall": _associative_recall,
    "dynamic_ngrams": _dynamic_ngrams,
    "priority_sort": _priority_sort,
}
EXTENTS: dict[str, Callable[[Setting], str]] = {
    "copy": lambda length: f"{length} vectors",
    "repeat_copy": lambda setting: f"{setting[0]} vectors, {setting[1]} times",
    "associative_recall": lambda items: f"{items} items",
    "dynamic_ngrams": lambda length: f"{length} bits",
    "priority_sort": lambda setting: f"{setting[0]} vectors, the {setting[1]} highest",
}
