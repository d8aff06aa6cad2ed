"""The commands: `python -m ntm_repro train …` is `ntm-train …`, and so for every one."""

import sys
from functools import partial
from importlib import import_module

from ntm_repro.cli import streams

COMMANDS = {
    "train": "train",
    "eval": "evaluate",
    "sweep": "sweep",
    "bench": "bench",
    "figures": "figures",
    "report": "report",
}


def enter(name: str) -> None:
    """Import the named command and hand over to it; importing takes a second in which Ctrl-C may come, too."""
    streams.prepare()
    try:
        import_module(f"ntm_repro.cli.{COMMANDS[name]}").main()
    except KeyboardInterrupt:
        print(f"ntm-{name}: interrupted", file=sys.stderr)
        raise SystemExit(130) from None


train, evaluate, sweep, bench, figures, report = (partial(enter, name) for name in COMMANDS)


def main() -> None:
    """Hand over to the command named first."""
    streams.prepare()
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: python -m ntm_repro {'|'.join(COMMANDS)} [key=value …]", file=sys.stderr)
        raise SystemExit(2)
    enter(sys.argv.pop(1))


if __name__ == "__main__":
    main()
