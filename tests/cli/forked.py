"""Many short commands without importing torch for each: a process that has imported all of it forks for every one.

Reads requests from standard input, one JSON object a line ({"words": […], "cwd": …}), and answers each with a line
({"returncode", "stdout", "stderr"}). It has one thread, and so may fork.
"""

import json
import os
import runpy
import sys
import tempfile
import traceback


def run(words, cwd):
    """One command in a child; what a subprocess would have given."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.chdir(cwd)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.argv = ["ntm_repro", *words]
            code = 0
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
        _, status = os.waitpid(child, 0)
        found = {"returncode": os.waitstatus_to_exitcode(status)}
        for name, file in (("stdout", out), ("stderr", err)):
            file.seek(0)
            found[name] = file.read().decode()
    return found


if __name__ == "__main__":
    import hydra  # noqa: F401

    import ntm_repro.cli.build
    import ntm_repro.cli.evaluate
    import ntm_repro.cli.train
    import ntm_repro.evaluation.generalisation
    import ntm_repro.figures.learning_curves
    import ntm_repro.training.run  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(run(request["words"], request["cwd"])), flush=True)
