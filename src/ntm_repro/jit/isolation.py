"""A Python process that imports what this one does, and never a file of the working directory."""

import errno
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path


def run(code: str, packages: Sequence[Path], settings: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run Python code to its end, with both its outputs as bytes. Raises `OSError` where no process can be started.

    packages: folders of modules that the code must be able to import. settings: variables of the environment, in
    addition to this process's own.
    """
    if not sys.executable:  # Python inside another program
        raise OSError(errno.ENOENT, "the Python interpreter is unknown")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # -P: no folder of the script's or the working directory's before the others.
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {module_folders(packages)!a}\n{code}"]
    return subprocess.run(
        command, cwd=os.sep, env={**environment, **settings}, stdin=subprocess.DEVNULL, capture_output=True
    )


def module_folders(packages: Sequence[Path]) -> list[str]:
    """`sys.path` without the working directory and with the standard library first; `packages` last if missing.

    First, so that a file token.py beside a script is not taken for the standard library's.
    """
    paths = [os.path.abspath(entry) for entry in sys.path if entry and not _is_working_directory(entry)]  # noqa: PTH100
    standard = [path for path in paths if _is_standard(path)]
    return list(dict.fromkeys([*standard, *paths, *map(str, packages)]))


def _is_working_directory(entry: str) -> bool:
    try:
        return os.path.samefile(entry, os.curdir)  # noqa: PTH121
    except OSError:  # one of them does not exist
        return False


def _is_standard(path: str) -> bool:
    """Whether a folder or archive of `sys.path` belongs to the standard library."""
    roots = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    archive = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    return path in roots or path in {f"{root}/lib-dynload" for root in roots} or Path(path).name == archive
