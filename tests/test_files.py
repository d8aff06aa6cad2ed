"""A file is replaced wholly or not at all, and the one before it can be kept."""

import errno
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.helpers import files_no_longer_than

from ntm_repro.files import keep_previous, readable, write_atomically, write_json

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(error):
    """A stand-in for a system call that always fails."""

    def call(*arguments, **options):
        raise type(error)(*error.args)

    return call


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_file_appears_with_its_content(tmp_path):
    write_atomically(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


def test_an_old_file_is_replaced_even_by_a_shorter_one(tmp_path):
    (tmp_path / "a").write_bytes(b"a long old content")
    write_atomically(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


def test_leftovers_of_a_killed_writer_do_not_matter(tmp_path):
    (tmp_path / "a.tmp").write_bytes(b"torn, and longer than what comes")
    write_atomically(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"new"}


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
@pytest.mark.parametrize("before", [{}, {"a": b"old"}], ids=["no old file", "old file"])
def test_whatever_stops_the_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, call, error, before):
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(os, call, failing(error))
    with pytest.raises(type(error)):
        write_atomically(tmp_path / "a", b"new")
    assert contents(tmp_path) == before


def test_a_write_that_the_system_cuts_short_leaves_the_old_file_and_no_other(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with files_no_longer_than(1000), pytest.raises(OSError, match="too large") as caught:
        write_atomically(tmp_path / "a", bytes(100_000))
    assert caught.value.errno == errno.EFBIG
    assert contents(tmp_path) == {"a": b"old"}


def test_content_is_on_the_disk_before_the_name_points_to_it(tmp_path, monkeypatch):
    """Else a power cut could leave an empty file under the final name."""
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append(("fsync", os.fstat(file).st_size)), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append(("replace",)), replace(*paths)))
    write_atomically(tmp_path / "a", b"12345")
    assert calls == [("fsync", 5), ("replace",)]


NO_HARD_LINKS = OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.fixture(params=["hard links", "no hard links"])
def file_system(request, monkeypatch):
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", failing(NO_HARD_LINKS))
    return request.param


@pytest.mark.parametrize("before", [{}, {"older": b"0"}], ids=["first", "again"])
def test_keep_previous_gives_the_file_a_second_name(tmp_path, file_system, before):
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "newest").write_bytes(b"1")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == {"newest": b"1", "older": b"1"}


def test_the_kept_file_does_not_change_with_the_newest(tmp_path, file_system):
    write_atomically(tmp_path / "newest", b"1")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    write_atomically(tmp_path / "newest", b"2")
    assert contents(tmp_path) == {"newest": b"2", "older": b"1"}


def test_leftovers_of_a_killed_keep_previous_do_not_matter(tmp_path, file_system):
    (tmp_path / "newest").write_bytes(b"1")
    (tmp_path / "older.tmp").write_bytes(b"torn, and longer than what comes")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == {"newest": b"1", "older": b"1"}


def test_leftovers_that_are_another_name_of_a_file_are_not_written_through(tmp_path):
    """What a killed keep_previous leaves may be the newest file itself."""
    (tmp_path / "newest").write_bytes(b"1")
    (tmp_path / "witness").write_bytes(b"precious")
    (tmp_path / "older.tmp").hardlink_to(tmp_path / "witness")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == {"newest": b"1", "older": b"1", "witness": b"precious"}


def test_keeping_the_same_file_twice_leaves_no_third_name(tmp_path):
    """rename(2) does nothing where both names already are the same file."""
    (tmp_path / "newest").write_bytes(b"1")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == {"newest": b"1", "older": b"1"}


def test_without_hard_links_keeping_the_same_file_twice_leaves_no_third_name(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", failing(NO_HARD_LINKS))
    (tmp_path / "newest").write_bytes(b"1")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == {"newest": b"1", "older": b"1"}


def test_a_failing_rename_leaves_both_files_and_no_other(tmp_path, monkeypatch, file_system):
    before = {"newest": b"1", "older": b"0"}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(os, "replace", failing(FULL))
    with pytest.raises(OSError, match="No space"):
        keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == before


def test_a_full_disk_without_hard_links_leaves_both_files_and_no_other(tmp_path, monkeypatch):
    before = {"newest": bytes(100_000), "older": b"0"}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(os, "link", failing(NO_HARD_LINKS))
    with files_no_longer_than(1000), pytest.raises(OSError, match="too large"):
        keep_previous(tmp_path / "newest", tmp_path / "older")
    assert contents(tmp_path) == before


def test_the_copy_made_without_hard_links_is_on_the_disk_before_it_replaces_the_older(tmp_path, monkeypatch):
    (tmp_path / "newest").write_bytes(b"12345")
    (tmp_path / "older").write_bytes(b"0")
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "link", failing(NO_HARD_LINKS))
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append(("fsync", os.fstat(file).st_size)), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append(("replace",)), replace(*paths)))
    keep_previous(tmp_path / "newest", tmp_path / "older")
    assert ("fsync", 5) in calls[: calls.index(("replace",))]


def test_both_files_are_there_at_every_step(tmp_path, monkeypatch, file_system):
    newest, older = tmp_path / "newest", tmp_path / "older"
    newest.write_bytes(b"1")
    older.write_bytes(b"0")
    seen = []

    def watched(call):
        def watching(*arguments, **options):
            seen.append((newest.read_bytes(), older.read_bytes()))
            try:
                return call(*arguments, **options)
            finally:
                seen.append((newest.read_bytes(), older.read_bytes()))

        return watching

    for name in ("link", "replace", "unlink"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    keep_previous(newest, older)
    assert set(seen) == {(b"1", b"0"), (b"1", b"1")}


# Text


@given(st.binary())
def test_any_name_of_a_file_can_be_written_as_text(name):
    """In UTF-8 what the bytes say, with the usual character for those that say nothing."""
    assert readable(os.fsdecode(name)) == name.decode("utf-8", "replace")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_other_text_stays_as_it_is(text):
    assert readable(text) == text


def test_json_with_any_name_of_a_file_is_read_back(tmp_path):
    write_json(tmp_path / "a", {"folder": os.fsdecode(b'lat\xfcn "\\')})
    assert json.loads((tmp_path / "a").read_text(encoding="utf-8")) == {"folder": 'lat\ufffdn "\\'}
