"""Records as JSON objects: read with an error that names the damaged file."""

import json
from pathlib import Path
from typing import Any

from ntm_repro.errors import UsageError


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is no such file.

    Raises `UsageError`, which names the file, where it cannot be read: torn, of another kind, or not permitted.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8
        raise UsageError(f"{path}: damaged, no complete JSON; restore or remove it") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: damaged, a JSON object is expected; restore or remove it")
    return content


def is_whole(value: object) -> bool:
    """Whether a JSON value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a JSON value is a number."""
    return is_whole(value) or isinstance(value, float)
