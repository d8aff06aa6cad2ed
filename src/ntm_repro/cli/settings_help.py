"""What `ntm-train --help` says of the settings, generated from their classes: names, defaults, choices, meanings.

The models' classes need torch, for which help should not wait. The text is therefore kept in `settings.txt`, and a test
checks that it is that of the classes; `python -m ntm_repro.cli.settings_help` writes it again.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from typing import Any, get_type_hints

from ntm_repro.cli import schema

FILE = Path(__file__).with_name("settings.txt")
WIDTH = 118
COLUMN = 44  # where meanings begin


def read() -> str:
    """The text as it is kept, for a `string.Template`."""
    return FILE.read_text(encoding="utf-8").rstrip("\n").replace("$", "$$")


def generate() -> str:
    """The text as the settings' classes have it today; imports torch."""
    from ntm_repro import models, optimisers, tasks

    lines = [*_section("", schema.Config), *_section("train.", schema.TrainSettings)]
    for group, names in (
        ("task", tasks.names()),
        ("model", models.names()),
        ("optimiser", optimisers.names()),
    ):
        shown: dict[type, str] = {}
        for name in names:
            settings = schema.TYPED_GROUPS[group].settings_type(name)
            if settings.__module__.partition(".")[0] != "ntm_repro":
                continue  # of another package that is installed here
            own = list(_section(f"{group}.", settings))
            base = next((kind for kind in shown if issubclass(settings, kind)), None)
            if base is None:
                lines += ["", f"{group}={name}", *own]
            else:
                known = set(_section(f"{group}.", base))
                lines += ["", f"{group}={name}: as {shown[base]}, but", *(line for line in own if line not in known)]
            shown[settings] = name
    return "\n".join(lines) + "\n"


def meanings(settings: type) -> dict[str, str]:
    """{field: meaning} from the lines `key: meaning` and `key, key: meaning` of a class's docstring and its bases'."""
    meaning_by_key: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        keys: list[str] = []
        for line in cleandoc(vars(base).get("__doc__") or "").splitlines():
            entry = re.fullmatch(r"(\w+(?:, \w+)*): (.+)", line)
            if entry:
                keys = entry[1].split(", ")
                meaning_by_key |= dict.fromkeys(keys, entry[2])
            elif line.strip():
                meaning_by_key |= {key: f"{meaning_by_key[key]} {line.strip()}" for key in keys}
            else:
                keys = []
    return meaning_by_key


def _section(prefix: str, settings: type) -> Iterator[str]:
    """An entry for each setting of a class and of those inside it."""
    kinds, meaning_by_key = get_type_hints(settings), meanings(settings)
    for field in fields(settings):
        kind = kinds[field.name]
        if field.name == "name" or kind is Any or (not prefix and is_dataclass(kind)):
            continue
        if is_dataclass(kind):
            yield from _section(f"{prefix}{field.name}.", kind)  # type: ignore[arg-type]
        else:
            yield _entry(f"{prefix}{field.name}={_default(field, kind)}", meaning_by_key.get(field.name, ""))


def _default(field: Field[Any], kind: Any) -> str:
    """The default, or all choices, the default first."""
    if field.default is MISSING or field.default == "???":
        return "…"
    if isinstance(kind, type) and issubclass(kind, Enum):
        others = [choice.name for choice in kind if choice is not field.default]
        return "|".join([field.default.name, *others])
    return str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}"


def _entry(setting: str, meaning: str) -> str:
    """The first sentence of a meaning beside the setting, in as many lines as it takes."""
    sentence = re.split(r"\.(?: |$)", meaning)[0]
    lines = wrap(sentence, WIDTH - COLUMN) or [""]
    above, last = _within_column(setting)
    first, *rest = lines if len(last) <= COLUMN - 3 else ["", *lines]
    return "\n".join([*above, f"  {last:<{COLUMN - 3}} {first}".rstrip(), *(" " * COLUMN + line for line in rest)])


def _within_column(setting: str) -> tuple[list[str], str]:
    """A setting with more choices than go on a line: the lines above its last, and the last."""
    if len(setting) <= WIDTH - 2:
        return [], setting
    half = setting.rindex("|", 0, WIDTH - 2) + 1
    return [f"  {setting[:half]}"], " " * (setting.index("=") + 1) + setting[half:]


if __name__ == "__main__":
    FILE.write_text(generate(), encoding="utf-8")
    print(FILE, file=sys.stderr)
