"""Paths on the command line: taken as they stand, whatever characters they hold; never parsed as YAML or by Hydra."""

import os
import re
from collections.abc import Sequence

from hydra.core.override_parser.types import Quote, QuotedString

from ntm_repro.errors import UsageError

# The settings of all commands that name a file or a folder.
KEYS = ("run", "run_dir", "results_dir", "evidence", "out", "figures", "tables", "input", "picture")
# Those among the settings of a run, which Hydra reads.
OF_RUNS = ("run_dir", "results_dir", "train.initial_weights")


def literal(key: str, text: str) -> str:
    """The path that `key=text` names: `text` itself, a leading `~/` expanded, which a shell may leave as it is.

    Raises `UsageError` for `${`, with which OmegaConf would begin an interpolation.
    """
    if "${" in text:
        raise UsageError(f"{key}={text}: a path is taken as it stands, and ${{…}} cannot be part of it")
    if text == "???":  # OmegaConf's mark of a missing value
        return "./???"
    return os.path.expanduser(text) if text.startswith("~/") else text  # noqa: PTH111 — a Path would drop "./" and "//"


def quoted(text: str) -> str:
    """`text` as a value that Hydra's grammar reads back as the same text."""
    return QuotedString(text, Quote.single).with_quotes()


def quote_paths(words: Sequence[str]) -> list[str]:
    """Hydra's command line with the values of the settings `OF_RUNS` quoted; raises `UsageError`."""
    return [_quote_path(word) for word in words]


def _quote_path(word: str) -> str:
    match = re.fullmatch(rf"(\+{{0,2}})({'|'.join(map(re.escape, OF_RUNS))})=(.*)", word, re.DOTALL)
    return f"{match[1]}{match[2]}={quoted(literal(match[2], match[3]))}" if match else word
