"""Evaluations as records, eval.json and beyond.json: one entry for each setting and number of memory locations.

An entry has `setting`, `sequences` (how many it was tested on), `bits`, `wrong_bits`, `perfect`, `optimum_bits` and
`locations` (null for a model without a memory). Entries without `locations`, which older records have, were made with
as many as in training.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ntm_repro.errors import UsageError
from ntm_repro.evidence.records import is_number, is_whole, read_json

Entry = dict[str, Any]
Evaluation = dict[str, Any]  # {"checkpoint_sequences": int, "grid": [Entry, …]}


def _is_setting(value: object) -> bool:
    return is_whole(value) or isinstance(value, str | list | dict)


def _is_optional(kind: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or kind(value)


FIELDS = {
    "setting": _is_setting,
    "sequences": is_whole,
    "bits": is_number,
    "wrong_bits": is_number,
    "perfect": is_number,
    "optimum_bits": _is_optional(is_number),
}


def read(path: Path) -> Evaluation | None:
    """An evaluation, or None where there is no such file; raises `UsageError`, which names it, for a damaged one."""
    evaluation = read_json(path)
    if evaluation is None:
        return None
    grid = evaluation.get("grid")
    if not is_whole(evaluation.get("checkpoint_sequences")) or not isinstance(grid, list):
        raise UsageError(f"{path}: no evaluation (it needs checkpoint_sequences and grid); restore or remove it")
    for number, entry in enumerate(grid, 1):
        if not isinstance(entry, dict) or not _is_entry(entry):
            raise UsageError(f"{path}: entry {number} of its grid is damaged; restore or remove the file")
    return evaluation


def _is_entry(entry: Entry) -> bool:
    complete = all(name in entry and fits(entry[name]) for name, fits in FIELDS.items())
    return complete and _is_optional(is_whole)(entry.get("locations"))


def marked(grid: Sequence[Entry], trained_locations: int | None) -> list[Entry]:
    """The entries, those of older records with the locations that the model was trained with."""
    return [{**entry, "locations": entry.get("locations", trained_locations)} for entry in grid]


def with_trained_locations(evaluation: Evaluation, trained_locations: int | None) -> Evaluation:
    """The evaluation without the entries for which the memory was enlarged (or reduced)."""
    grid = evaluation["grid"]
    kept = [entry for entry in grid if entry.get("locations", trained_locations) == trained_locations]
    return {**evaluation, "grid": kept}


def merged(grid: Sequence[Entry], more: Sequence[Entry], replace: bool = True) -> list[Entry]:
    """`grid` and `more`, an entry for each setting and number of locations, in the order of their first appearance.

    replace: where both have an entry, whether that of `more` is taken. All entries must say their locations.
    """
    found = {_key(entry): entry for entry in grid}
    for entry in more:
        if replace or _key(entry) not in found:
            found[_key(entry)] = entry
    return list(found.values())


def _key(entry: Entry) -> tuple[str, int | None]:
    # As JSON has it: lists for tuples.
    setting = entry["setting"]
    return repr(list(setting) if isinstance(setting, tuple) else setting), entry["locations"]
