"""A process that has imported torch and hydra once and forks for every command; `forked.Server` starts and asks it.

It reads requests from standard input, one JSON object a line, and answers each with a line ({"returncode", "stdout",
"stderr", "events"}). It has one thread, and so may fork. A request may also say when the child is to get a signal:
`after` seconds, or just before it touches the file system for the `at_event`-th time below its folder. Both are asked
of the operating system; nothing in the child's code knows of it.
"""

import json
import os
import runpy
import signal
import sys
import tempfile
import threading
import time
import traceback

# Python announces these before it does them: opened, renamed, linked, removed, made.
TOUCHING = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate")


def run(words, cwd, signal=None, after=None, at_event=None):
    """One command in a child; what a subprocess would have given."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as touched:
        child = os.fork()
        if child == 0:
            os.chdir(cwd)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = ["ntm_repro", *words]
            code = 0
            watch_files(cwd, touched.fileno(), at_event, signal)
            try:
                runpy.run_module("ntm_repro", run_name="__main__", alter_sys=True)
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                traceback.print_exc()
                code = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        if after is not None:
            time.sleep(after)
            os.kill(child, signal)  # not waited for yet, so that the number is still its own
        _, status = os.waitpid(child, 0)
        found = {"returncode": os.waitstatus_to_exitcode(status), "events": os.fstat(touched.fileno()).st_size}
        for name, file in (("stdout", out), ("stderr", err)):
            file.seek(0)
            found[name] = file.read().decode()
    return found


def watch_files(cwd, counter, at_event, number):
    """Count in the file `counter`, a byte each, the touches of the file system below `cwd`; a signal at the n-th."""
    count = 0
    below = os.path.realpath(cwd) + "/"

    def watch(event, arguments):
        nonlocal count
        if event not in TOUCHING or not isinstance(arguments[0], str | os.PathLike):
            return
        path = os.path.abspath(arguments[0])  # noqa: PTH100 — resolving links would touch the file system
        writes = event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if path.startswith(below) and writes:
            count += 1
            os.write(counter, b".")
            if count == at_event:
                signal.pthread_kill(threading.get_ident(), number)

    sys.addaudithook(watch)


if __name__ == "__main__":
    import hydra  # noqa: F401
    import torch.utils.tensorboard  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(**request)), flush=True)
