"""What the tests share that try what nobody would write by hand."""

from hypothesis import HealthCheck, Phase, settings
from support.helpers import TINY

# Whatever is drawn on top, a valid command line is a run of a second.
SMALL = ("train.sequences=2", "train.log_every=1", "kernel=eager", *TINY)


def check_lines(done, what, codes=(0, 2)):
    """A command ended by one of these exit codes, with three lines at most on standard error and no traceback."""
    assert done.returncode in codes, (what, done)
    assert "Traceback" not in done.stderr + done.stdout, (what, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) <= 3, (what, lines)
    assert lines or done.returncode == 0, what


def fuzz(examples):
    """How many examples to try; not made smaller where one fails, which would take minutes."""
    return settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
