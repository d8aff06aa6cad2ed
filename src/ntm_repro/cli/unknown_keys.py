"""A key that no setting has: which setting may have been meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(key: str, known: Iterable[str]) -> str | None:
    """The known dotted key that `key` was most likely meant to be, or None.

    >>> nearest("train.sequences_", ["train.sequences", "seed"])
    'train.sequences'
    >>> nearest("learning_rate", ["train.learning_rate", "seed"])
    'train.learning_rate'
    >>> nearest("moon", ["train.learning_rate", "seed"])
    """
    parent, _, last = key.rpartition(".")
    split = {full: full.rpartition(".") for full in known}
    siblings = {name: full for full, (above, _, name) in split.items() if above == parent}
    for name in get_close_matches(last, siblings, 1):
        return siblings[name]
    for full, (_, _, name) in split.items():
        if name == last:
            return full
    return next(iter(get_close_matches(key, split, 1, cutoff=0.8)), None)
