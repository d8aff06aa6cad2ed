"""`python -m ntm_repro train …` is `ntm-train …`, and so for every command."""

import sys
from importlib import import_module

COMMANDS = {"train": "train", "eval": "evaluate", "bench": "bench", "figures": "figures", "report": "report"}


def main() -> None:
    """Hand over to the named command."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: python -m ntm_repro {'|'.join(COMMANDS)} [key=value …]", file=sys.stderr)
        raise SystemExit(2)
    name = sys.argv.pop(1)
    import_module(f"ntm_repro.cli.{COMMANDS[name]}").main()


if __name__ == "__main__":
    main()
