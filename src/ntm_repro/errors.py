"""Errors that are no bugs. Torch-free: the command line imports it early.

The library raises `InvalidSetting` (a `ValueError`); the command line turns it into a `UsageError`, which names the key
as the user writes it.
"""


class UsageError(Exception):
    """A mistake of the user, in one line that names the key and the fix; exit code 2, nothing written."""


class RunError(Exception):
    """A run that cannot continue (divergence, a full disk), in one line; exit code 1, checkpoints stay usable."""


class InvalidSetting(ValueError):
    """A setting out of range: `key`, its value, and why, where `{section}` stands before other keys of its section."""

    def __init__(self, key: str, value: object, why: str) -> None:
        super().__init__(f"{key}={value}: {why.format(section='')}")
        self.key, self.value, self.why = key, value, why

    def within(self, section: str) -> str:
        """The same message for a setting of `section`, for instance "task": "task.min_length=0: must be 1 or more"."""
        return f"{section}.{self.key}={self.value}: {self.why.format(section=f'{section}.')}"


def check_setting(valid: bool, key: str, value: object, why: str) -> None:
    """Raise `InvalidSetting` unless `valid`."""
    if not valid:
        raise InvalidSetting(key, value, why)


def require(condition: bool, key: str, value: object, why: str) -> None:
    """Raise `UsageError` in its one-line form unless `condition` holds."""
    if not condition:
        raise UsageError(f"{key}={value}: {why}")
