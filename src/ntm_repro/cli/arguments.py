"""The words of an ntm-train command line: Hydra's options that it has, and overrides."""

import argparse
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from ntm_repro.cli import paths
from ntm_repro.errors import UsageError

# Options of Hydra's that are refused, and why.
REFUSED = {
    "config_name": "there is one config, train",
    "config_path": "--config-dir adds a folder of your own",
    "experimental_rerun": "it loads a pickle, which can run code; run=PATH repeats a recorded run",
}
COMMANDS = ("help", "hydra_help", "shell_completion", "cfg", "info")


class Arguments(NamedTuple):
    """overrides: as typed, but paths quoted. multirun: `-m`. config_dir: that of `--config-dir`, or None.

    printing: the options of a command line that prints something instead of training, as Hydra takes them; else empty.
    """

    overrides: list[str]
    multirun: bool
    config_dir: str | None
    printing: list[str]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; settings are written key=value (see ntm-train --help)")


def parse(argv: Sequence[str]) -> Arguments:
    """The words sorted; raises `UsageError` for an unknown or refused option."""
    parser = _parser()
    options, unknown = parser.parse_known_intermixed_args(list(argv))
    if unknown:
        parser.error(f"{unknown[0]}: unknown option")
    for name, why in REFUSED.items():
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')}: not supported; {why}")
    for name in ("resolve", "package"):
        if getattr(options, name) and not (options.cfg or options.help):
            raise UsageError(f"--{name}: says how --cfg shows a config; add --cfg job")
    printing: list[str] = []
    if any(getattr(options, name) for name in COMMANDS):
        for name, value in vars(options).items():
            if name != "overrides" and value:
                printing += [f"--{name.replace('_', '-')}", *([] if value is True else [value])]
    return Arguments(paths.quote_paths(options.overrides), options.multirun, options.config_dir, printing)


def _parser() -> _Parser:
    """The options that Hydra's own parser has, which is none of its public API."""
    parser = _Parser(add_help=False)
    parser.add_argument("overrides", nargs="*")
    flags = (("--help", "-h"), ("--hydra-help",), ("--resolve",), ("--run", "-r"), ("--multirun", "-m"))
    for names in (*flags, ("--shell-completion", "-sc")):
        parser.add_argument(*names, action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])
    parser.add_argument("--package", "-p")
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-path", "-cp")
    parser.add_argument("--config-name", "-cn")
    parser.add_argument("--experimental-rerun")
    shown = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]
    parser.add_argument("--info", "-i", const="all", nargs="?", choices=shown)
    return parser
