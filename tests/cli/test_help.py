"""Help and printed configs: complete, and fast because they never import torch."""

import sys
from dataclasses import fields, is_dataclass
from importlib.metadata import version

import pytest
from support import processes

from ntm_repro import models, optimisers, tasks
from ntm_repro.cli import compose, schema, settings_help


@pytest.mark.parametrize(
    "words",
    [("train", "--help"), ("train", "--cfg", "job"), ("eval", "--help"), ("bench", "--help"), ("figures", "--help")],
)
def test_without_torch(words):
    script = (
        "import sys; from ntm_repro.__main__ import main; sys.argv = ['ntm', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = processes.run([sys.executable, "-c", script, *words])
    assert done.returncode == 0, done.stderr


def sections(text):
    """{heading: entry} of the help; what comes before the first heading is under ""."""
    return {part.partition("\n")[0] if part[0] != " " else "": part for part in text.strip("\n").split("\n\n")}


def test_the_kept_text_is_that_of_the_settings():
    """Where it is not: python -m ntm_repro.cli.settings_help writes it again. A new task need not be in it at once."""
    kept, current = (sections(text) for text in (settings_help.FILE.read_text("utf-8"), settings_help.generate()))
    assert {"", "task=copy", "model=ntm", "optimiser=adam"} <= set(kept) <= set(current)
    assert kept == {heading: current[heading] for heading in kept}


def test_every_setting_has_a_meaning():
    classes = {"": schema.Config, "train": schema.TrainSettings}
    classes |= {f"task={name}": tasks.find(name) for name in tasks.names()}
    classes |= {f"model={name}": models.settings_type(name) for name in models.names()}
    classes |= {f"optimiser={name}": optimisers.settings_type(name) for name in optimisers.names()}
    silent = [
        f"{owner} {field.name}"
        for owner, settings in classes.items()
        for field in fields(settings)
        if field.name not in {"name", "train", *schema.TYPED_GROUPS, *settings_help.meanings(settings)}
        and not is_dataclass(field.type)
    ]
    assert silent == []


def test_a_meaning_may_be_that_of_several_keys_and_take_several_lines():
    class Base:
        """Prose: not a key of the class, but harmless.

        first, second: both of
        them.
        third: one
        """

    class Settings(Base):
        """More.

        third: another.

        After a gap, prose again.
        """

    said = settings_help.meanings(Settings)
    assert (said["first"], said["second"], said["third"]) == ("both of them.", "both of them.", "another.")


def test_version_is_the_projects(command):
    for word in ("train", "eval"):
        done = command(word, "--version")
        assert (done.returncode, done.stdout) == (0, f"ntm-repro {version('ntm-repro')}\n")


def test_help_names_every_setting(command):
    text = command("train", "--help").stdout
    for word in (
        f"task: {', '.join(compose.options('task'))}",
        f"model: {', '.join(compose.options('model'))}",
        f"optimiser: {', '.join(compose.options('optimiser'))}",
        "train.",
        "seed",
        "kernel=auto|eager|numba",
        "resume",
        "exit codes",
        "run=PATH",
    ):
        assert word in text


def test_cfg_shows_the_papers_values_and_the_changes(command):
    text = command("train", "--cfg", "job", "model=lstm", "train.batch_size=4").stdout
    assert "learning_rate: 3.0e-05" in text
    assert "batch_size: 4" in text
    assert "size: 256" in text


def test_eval_help_and_bare_call(command):
    full = command("eval", "--help")
    assert full.returncode == 0
    assert "[kernel=auto|eager|numba]" in full.stdout
    bare = command("eval")
    assert bare.returncode == 2
    assert "usage: ntm-eval" in bare.stdout
