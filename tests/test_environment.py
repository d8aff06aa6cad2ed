"""What a run's numbers depend on is named as it is on this machine."""

import shutil
from pathlib import Path

import pytest
from support import processes

from ntm_repro import environment


def test_the_cpu_is_the_one_that_the_operating_system_names():
    cpuinfo = Path("/proc/cpuinfo")
    if "model name" not in (cpuinfo.read_text() if cpuinfo.exists() else ""):
        assert environment.cpu_name()
    else:
        assert f": {environment.cpu_name()}\n" in cpuinfo.read_text()


def test_without_cpuinfo_there_is_still_a_name(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert environment.cpu_name()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A function that runs git in a new repository where the source is said to be."""
    if shutil.which("git") is None:
        pytest.skip("no git here")
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.setattr(environment, "__file__", str(place / "environment.py"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = processes.run(["git", *who, *arguments], cwd=place, check=True)
        return done.stdout.strip()

    git("init")
    (place / "environment.py").write_text("# the source\n")
    (place / "other.py").write_text("# another file\n")
    git("add", "other.py")
    git("commit", "-m", "first")
    return git


def test_the_commit_is_that_of_the_source_and_changes_show(repository, tmp_path):
    repository("add", "environment.py")
    repository("commit", "-m", "second")
    assert environment.source_state() == (repository("rev-parse", "HEAD"), False)
    (tmp_path / "repository" / "notes.txt").write_text("not part of the source")
    assert environment.source_state()[1] is False
    (tmp_path / "repository" / "other.py").write_text("# changed\n")
    assert environment.source_state() == (repository("rev-parse", "HEAD"), True)


def test_a_package_installed_inside_somebody_elses_repository_has_no_commit(repository):
    assert environment.source_state() == (None, None)


def test_without_git_there_is_no_commit(repository, monkeypatch):
    repository("add", "environment.py")
    monkeypatch.setenv("PATH", "")
    assert environment.source_state() == (None, None)
