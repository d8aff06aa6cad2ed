"""The one checked config that words of a command line stand for."""

from ntm_repro.cli import compose


def one_job(*words):
    """Needs `compose.register()` before."""
    (job,), sweep = compose.jobs(words)
    assert not sweep
    return job
