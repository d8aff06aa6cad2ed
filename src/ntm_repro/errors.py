"""The two ways a command ends badly without being a bug of ours. Torch-free: the command line imports it early."""


class UsageError(Exception):
    """The user's mistake, said in one line that names the key and the fix; exit code 2, nothing written."""


class RunError(Exception):
    """A run that cannot go on (divergence, a full disk), in one line; exit code 1, earlier checkpoints stay usable."""


def require(condition: bool, key: str, value: object, why: str) -> None:
    """Raise `UsageError` in the house's one-line form unless `condition` holds."""
    if not condition:
        raise UsageError(f"{key}={value}: {why}")
