"""Many commands without importing torch for each: the process of `fork_worker.py` forks for every one."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from support.helpers import PATIENCE
from support.processes import begin, end

WORKER = Path(__file__).with_name("fork_worker.py")


class Server:
    """The forking process, from outside.

    A call that does not come to its end, as when pytest-timeout stops the test, kills the process with all its
    children: the answer it still owes would be taken for that of the next command. The next call starts another.
    """

    def __enter__(self):
        self.start()
        return self

    def start(self):
        self.process = begin([sys.executable, WORKER], stdin=subprocess.PIPE, stderr=None)

    def __call__(self, *words, cwd, **when):
        """What a subprocess with these words would have come to; `when`: signal=, after= or at_event=."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps({"words": words, "cwd": str(cwd), **when}) + "\n")
            self.process.stdin.flush()
            return SimpleNamespace(**json.loads(self.process.stdout.readline()))
        except BaseException:
            self.kill()
            raise

    def kill(self):
        """End the process and all that it has started."""
        process, self.process = self.process, None
        if process is not None:
            end(process)

    def __exit__(self, *failure):
        if self.process is not None:
            self.process.stdin.close()  # it ends by itself, and a measurement of coverage with it
            self.process.wait(timeout=PATIENCE)
        self.kill()
