"""A run's folder: may it be written, is it empty, does somebody else have it."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest
from support import processes

from ntm_repro.errors import UsageError
from ntm_repro.files import write_json
from ntm_repro.training.run_folder import RunFolder


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# Writable


@pytest.mark.parametrize("name", ["run", "deep/er/run"])
def test_a_folder_that_could_be_made_is_fine_and_is_not_made(tmp_path, name):
    RunFolder(tmp_path / name).check_writable()
    assert everything(tmp_path) == []


def test_a_folder_that_is_there_is_fine_and_stays_as_it_is(tmp_path):
    (tmp_path / "a").write_text("a")
    RunFolder(tmp_path).check_writable()
    assert everything(tmp_path) == ["a"]


def test_a_relative_folder_is_fine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("results/run")).check_writable()
    assert everything(tmp_path) == []


@pytest.mark.parametrize("name", ["file", "file/run", "file/deep/er/run"])
def test_a_file_in_the_way_is_named(tmp_path, name):
    (tmp_path / "file").write_text("a")
    with pytest.raises(UsageError) as caught:
        RunFolder(tmp_path / name).check_writable()
    message = str(caught.value)
    assert message.startswith(f"run_dir={tmp_path / name}: {tmp_path / 'file'} is not a folder; ")
    assert "choose another run_dir or results_dir" in message
    assert everything(tmp_path) == ["file"]


def test_a_link_to_nowhere_is_named(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=f"{tmp_path / 'link'} is not a folder"):
        RunFolder(tmp_path / "link" / "run").check_writable()
    assert everything(tmp_path) == ["link"]


def test_a_link_to_a_folder_is_fine(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    RunFolder(tmp_path / "link" / "run").check_writable()


def test_a_name_too_long_for_the_file_system_is_refused(tmp_path):
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    RunFolder(tmp_path / ("a" * longest)).check_writable()
    with pytest.raises(UsageError, match=r"cannot be written .*too long.*choose another run_dir or results_dir"):
        RunFolder(tmp_path / ("a" * (longest + 1))).check_writable()
    assert everything(tmp_path) == []


def test_a_path_too_long_for_the_files_of_a_run_is_refused(tmp_path):
    """The folder itself would fit, the files in it would not."""
    longest = os.pathconf(tmp_path, "PC_PATH_MAX")
    path = tmp_path
    while len(str(path)) < longest - 300:
        path /= "a" * 200
    path /= "a" * (longest - len(str(path)) - 12)
    assert len(str(path)) < longest
    with pytest.raises(UsageError, match=r"cannot be written .*too long"):
        RunFolder(path).check_writable()
    assert everything(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_a_place_that_nobody_can_write_is_refused():
    with pytest.raises(UsageError, match=r"run_dir=/proc/run: cannot be written \(.+\); choose another run_dir"):
        RunFolder(Path("/proc/run")).check_writable()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
@pytest.mark.parametrize("name", ["", "run"])
def test_a_place_that_this_user_cannot_write_is_refused(tmp_path, name):
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(UsageError, match="cannot be written"):
        RunFolder(tmp_path / "closed" / name).check_writable()


# Empty


@pytest.mark.parametrize("name", ["config.yaml", "metrics.csv", "checkpoint.pt", "a", ".hidden"])
def test_whatever_a_run_or_a_person_put_there_counts(tmp_path, name):
    folder = RunFolder(tmp_path)
    assert folder.is_empty
    (tmp_path / name).touch()
    assert not folder.is_empty


def test_what_a_failed_start_leaves_does_not_count(tmp_path):
    folder = RunFolder(tmp_path / "run")
    assert folder.is_empty
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / "train.log").touch()
    (tmp_path / "run" / ".ntm-ab12").mkdir()  # killed as it tried whether the folder can be written
    with folder.locked():
        assert folder.is_empty
    assert folder.is_empty


# Records


def test_json_comes_back_and_reads_well(tmp_path):
    folder = RunFolder(tmp_path)
    content = {"task": "copy", "note": "β ≥ 0", "n": 1, "x": 0.1, "nested": {"none": None}}
    write_json(folder.summary, content)
    assert folder.read_summary() == content
    text = (tmp_path / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text) == content
    assert "β ≥ 0" in text
    assert text.endswith("}\n")
    assert everything(tmp_path) == ["summary.json"]


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "3", b"\xff\xfe"])
def test_a_summary_that_cannot_be_read_is_none(tmp_path, text):
    folder = RunFolder(tmp_path)
    if text is not None:
        folder.summary.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert folder.read_summary() is None


def test_the_files_are_those_of_the_contract(tmp_path):
    folder = RunFolder(tmp_path)
    found = [folder.config, folder.log, folder.metrics, folder.weights, folder.summary, folder.evaluation]
    expected = ["config.yaml", "train.log", "metrics.csv", "weights.safetensors", "summary.json", "eval.json"]
    assert found == [tmp_path / name for name in expected]


# Locked


def test_a_second_handle_is_refused_while_the_first_holds(tmp_path):
    with RunFolder(tmp_path).locked():
        with (
            pytest.raises(UsageError, match=f"run_dir={tmp_path}: another process is training there"),
            RunFolder(tmp_path).locked(),
        ):
            pytest.fail("two hold the lock")
        # The refused one must not have taken the lock away.
        with pytest.raises(UsageError), RunFolder(tmp_path).locked():
            pytest.fail("two hold the lock")
    with RunFolder(tmp_path).locked():
        pass


def test_an_error_frees_the_folder(tmp_path):
    with pytest.raises(RuntimeError), RunFolder(tmp_path).locked():
        raise RuntimeError
    with RunFolder(tmp_path).locked():
        pass


HOLD = """
import sys, time
from pathlib import Path
from ntm_repro.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(3600)
"""


def test_another_process_is_refused_and_its_death_frees_the_folder(tmp_path):
    with processes.started([sys.executable, "-c", HOLD, str(tmp_path)]) as other:
        try:
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(UsageError, match="another process"), RunFolder(tmp_path).locked():
                pytest.fail("two hold the lock")
        finally:
            other.kill()
        other.wait()
        with RunFolder(tmp_path).locked():
            pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_without_locks_it_goes_on_and_warns(tmp_path, monkeypatch, caplog, number):
    """A file system without flock, as Lustre's by default; there is none to try it on."""

    def flock(file, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with RunFolder(tmp_path).locked():
        pass
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert str(tmp_path) in record.getMessage()
