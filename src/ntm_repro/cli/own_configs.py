"""Files of a user's own in the folder of `--config-dir` that Hydra cannot read, because of their encoding."""

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ntm_repro.errors import UsageError


@contextmanager
def explaining(config_dir: str | None, overrides: Sequence[str]) -> Iterator[None]:
    """Whatever goes wrong inside because of such a file becomes a `UsageError` that names it and the fix."""
    try:
        yield
    except Exception as error:
        fault = None if config_dir is None else _fault(Path(config_dir), " ".join(overrides))
        if fault is None:
            raise
        raise UsageError(fault) from error


def _fault(folder: Path, typed: str) -> str | None:
    """What is wrong with the first file that `typed` names, directly or by way of another; None for none."""
    paths = sorted({*folder.glob("*/*.yaml"), *folder.glob("*/*/*.yaml")})
    names, seen = _names(typed), set[Path]()
    while reached := [path for path in paths if path not in seen and path.stem in names]:
        for path in reached:
            seen.add(path)
            try:
                content = path.read_bytes()
            except OSError:  # which Hydra says as well as this could
                continue
            why = _reason(content)
            if why is not None:
                return f"{path}: {why}; save it as UTF-8 without a byte order mark"
            names |= _names(content.decode())
    return None


def _names(text: str) -> set[str]:
    return set(re.findall(r"[\w.-]+", text))


def _reason(content: bytes) -> str | None:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is in UTF-16"
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return f"line {line} is not UTF-8 (byte {content[error.start]:#04x})"
    # Elsewhere the mark, which editors on Windows write, does no harm.
    if re.match(r"\ufeff\s*#\s*@package", text):
        return "begins with a byte order mark, behind which Hydra does not see its @package line"
    return None
