"""Tasks and models are found by name, here and in installed packages, and nothing else is ever imported."""

import sys

import pytest
from support import processes
from support.plugged_in import OWN_MODEL, OwnNTM, OwnSettings, Parity, installed

from ntm_repro import models, paper, tasks
from ntm_repro.errors import InvalidSetting
from ntm_repro.tasks.copy import Copy

OURS = list(tasks._REGISTRY.built_in)


def test_modules_of_the_packages_are_found_but_their_helpers_are_not():
    with installed():
        assert tasks.names() == OURS == sorted(OURS)
        assert set(paper.TASKS) <= set(OURS)
        assert set(paper.MODELS) <= set(models.names())
        for name in ("base", "addressing", "__init__", "os", "copy.Copy", "../copy", ""):
            for find in (tasks.find, models.find):
                with pytest.raises(InvalidSetting, match="unknown; choose one of "):
                    find(name)


def test_entry_points_come_after_our_own():
    with installed({"parity": Parity}, {"own_ntm": OWN_MODEL}):
        assert tasks.names() == [*OURS, "parity"]
        assert tasks.find("parity") is Parity
        assert models.settings_type("own_ntm") is OwnSettings
        assert type(models.build(OwnSettings(), 2, 1, seed=1)) is OwnNTM
    with installed(), pytest.raises(InvalidSetting, match="name=parity: unknown; choose one of associative_recall, "):
        tasks.find("parity")


def test_an_entry_point_replaces_nothing_of_ours():
    with installed({"copy": Parity}):
        assert tasks.names() == OURS
        assert tasks.find("copy") is Copy


def test_a_name_that_is_no_identifier_is_not_offered():
    with installed({"own-parity": Parity, "a.b": Parity}):
        assert tasks.names() == OURS


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (ImportError("no {module}"), "its entry point own:parity cannot be loaded: no {module}"),
        (Copy, "its entry point own:parity is no subclass of Task with the default name = 'parity'"),
        (Parity(), "is no subclass of Task"),
        (dict, "is no subclass of Task"),
    ],
)
def test_an_entry_point_that_is_no_task_is_refused_in_one_line(found, why):
    with installed({"parity": found}), pytest.raises(InvalidSetting) as raised:
        tasks.find("parity")
    assert why in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_an_entry_point_that_is_no_model_is_refused():
    with installed(models_found={"own": Parity}), pytest.raises(InvalidSetting, match="has no Settings or no build"):
        models.find("own")


def test_tasks_are_found_without_torch():
    script = "import sys; from ntm_repro import tasks; tasks.find('copy'); assert 'torch' not in sys.modules"
    processes.run([sys.executable, "-c", script], check=True)


def test_an_installed_distribution_is_found(tmp_path):
    """A folder as pip makes it, on the path of another process."""
    info = tmp_path / "own-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ntm_repro.tasks]\nlonger_copy = own:LongerCopy\n")
    (tmp_path / "own.py").write_text(
        "from dataclasses import dataclass\n"
        "from ntm_repro.tasks.copy import Copy\n"
        "@dataclass(frozen=True)\n"
        "class LongerCopy(Copy):\n"
        "    name: str = 'longer_copy'\n"
        "    max_length: int = 40\n"
    )
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from ntm_repro import tasks; "
        "print(tasks.names()[-1], tasks.find('longer_copy')().longest_condition)"
    )
    done = processes.run([sys.executable, "-c", script], check=True)
    assert done.stdout.split() == ["longer_copy", "40"]
