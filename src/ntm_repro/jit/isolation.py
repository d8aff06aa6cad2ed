"""Python processes that import what this one does, and never a file of the working directory."""

import errno
import os
import selectors
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

Done = subprocess.CompletedProcess[bytes]


def run(codes: Sequence[str], packages: Sequence[Path], settings: Mapping[str, str]) -> list[Done | OSError]:
    """Run pieces of Python code at the same time, each in a process of its own, to the end of all.

    Returns how each ended, with both its outputs as bytes; the error where its process cannot be started. Where the
    waiting ends early, as by Ctrl-C, so do the processes.

    packages: folders of modules that the code must be able to import. settings: variables of the environment, in
    addition to this process's own.
    """
    started: list[subprocess.Popen[bytes] | OSError] = []
    try:
        for code in codes:
            try:
                started.append(_start(code, packages, settings))
            except OSError as error:
                started.append(error)
        processes = [process for process in started if not isinstance(process, OSError)]
        outputs = dict(zip(map(id, processes), _outputs(processes), strict=True))
        return [
            process
            if isinstance(process, OSError)
            else subprocess.CompletedProcess(process.args, process.wait(), *outputs[id(process)])
            for process in started
        ]
    finally:
        for process in started:
            if not isinstance(process, OSError):
                process.kill()  # does nothing where it ended
                with process:  # closes its outputs and waits
                    pass


def _start(code: str, packages: Sequence[Path], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    if not sys.executable:  # Python inside another program
        raise OSError(errno.ENOENT, "the Python interpreter is unknown")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # -P: no folder of the script's or the working directory's before the others.
    command = [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {module_folders(packages)!a}\n{code}"]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=os.sep, env={**environment, **settings}, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


def _outputs(processes: Sequence[subprocess.Popen[bytes]]) -> list[tuple[bytes, bytes]]:
    """Both outputs of each, read as they come: no process waits until another's are read."""
    outputs = [(bytearray(), bytearray()) for _ in processes]
    with selectors.DefaultSelector() as selector:
        for process, buffers in zip(processes, outputs, strict=True):
            for pipe, buffer in zip((process.stdout, process.stderr), buffers, strict=True):
                assert pipe is not None
                selector.register(pipe, selectors.EVENT_READ, buffer)
        while selector.get_map():
            for key, _ in selector.select():
                piece = os.read(key.fd, 1 << 16)
                if piece:
                    key.data.extend(piece)
                else:
                    selector.unregister(key.fileobj)
    return [(bytes(output), bytes(errors)) for output, errors in outputs]


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
