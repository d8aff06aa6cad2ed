"""Checkpoints survive whatever happens to the process and the disk, and are refused where anything is wrong."""

import errno
import io
import os
import pickle
import shutil
import zipfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.helpers import files_no_longer_than

from ntm_repro.errors import UsageError
from ntm_repro.training.checkpoint import FORMAT, go_back, load, load_or_name_previous, save

NEWEST, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"


@pytest.fixture(scope="module")
def whole(a_checkpoint, tmp_path_factory):
    """The bytes of the file of `a_checkpoint()`."""
    folder = tmp_path_factory.mktemp("whole")
    save(folder, a_checkpoint())
    return (folder / NEWEST).read_bytes()


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One path for all examples of a property, each of which writes it anew."""
    return tmp_path_factory.mktemp("scratch") / NEWEST


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def content_of(path):
    """What `save` gave to torch."""
    return torch.load(path, weights_only=True)


# Round trips


def test_a_checkpoint_comes_back_as_it_was(tmp_path, a_checkpoint, same):
    save(tmp_path, a_checkpoint())
    assert same(load(tmp_path / NEWEST), a_checkpoint())
    assert names(tmp_path) == [NEWEST]


def test_a_trainers_checkpoint_comes_back_as_it_was(tmp_path, tiny_trainer, snapshot, same):
    trainer = tiny_trainer()
    for _ in range(2):
        trainer.update()
    before = snapshot(trainer)
    save(tmp_path, before)
    assert same(load(tmp_path / NEWEST), before)


def test_the_file_holds_plain_values_only(tmp_path, tiny_trainer):
    """So that it can be loaded without running code, by any later version of this package."""
    trainer = tiny_trainer()
    trainer.update()
    save(tmp_path, trainer.checkpoint())

    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str | int) and plain(entry) for key, entry in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return type(value) in (str, int, float, torch.Tensor)

    content = content_of(tmp_path / NEWEST)
    assert plain(content)
    assert content["format"] == FORMAT


def test_saving_does_not_change_the_checkpoint(tmp_path, a_checkpoint, same):
    checkpoint = a_checkpoint()
    save(tmp_path, checkpoint)
    assert same(checkpoint, a_checkpoint())


# Two are kept


def test_two_are_kept_the_newest_and_the_one_before(tmp_path, a_checkpoint, same):
    for sequences in (10, 20, 30):
        save(tmp_path, a_checkpoint(sequences))
        if sequences > 10:
            assert same(load(tmp_path / NEWEST), a_checkpoint(sequences))
            assert same(load(tmp_path / PREVIOUS), a_checkpoint(sequences - 10))
    assert names(tmp_path) == [PREVIOUS, NEWEST]


def test_leftovers_of_a_killed_save_do_not_matter(tmp_path, a_checkpoint, same):
    for leftover in (".new", ".new.tmp", ".tmp"):
        (tmp_path / (NEWEST + leftover)).write_bytes(b"torn")
        (tmp_path / (PREVIOUS + leftover)).write_bytes(b"torn")
    for sequences in (10, 20):
        save(tmp_path, a_checkpoint(sequences))
    assert same(load(tmp_path / NEWEST), a_checkpoint(20))
    assert same(load(tmp_path / PREVIOUS), a_checkpoint(10))


def test_without_hard_links_two_are_kept_as_well(tmp_path, a_checkpoint, same, monkeypatch):
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    for sequences in (10, 20, 30):
        save(tmp_path, a_checkpoint(sequences))
    assert same(load(tmp_path / NEWEST), a_checkpoint(30))
    assert same(load(tmp_path / PREVIOUS), a_checkpoint(20))
    assert names(tmp_path) == [PREVIOUS, NEWEST]


# Nothing is run


class Payload:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def sealed(archive):
    """An archive with its digest as its comment, as `save` writes it; anybody can compute that."""
    assert archive.endswith(b"\0\0")  # the length of the comment
    return archive[:-2] + b"\x47\x00sha256:" + sha256(archive).hexdigest().encode()


def write_sealed(content, path):
    """What `save` would write if this were what it gives to torch."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.write_bytes(sealed(buffer.getvalue()))


def raw_pickle(payload, path):
    path.write_bytes(pickle.dumps(payload))


def sealed_pickle(payload, path):
    path.write_bytes(sealed(pickle.dumps(payload) + b"\0\0"))


def torch_zip(payload, path):
    torch.save(payload, path)


def sealed_torch_zip(payload, path):
    write_sealed(payload, path)


def legacy_torch_file(payload, path):
    torch.save(payload, path, _use_new_zipfile_serialization=False)


def hidden_in_a_checkpoint(payload, path):
    content = content_of(path)
    content["optimiser"]["square"]["w_AB"] = payload
    write_sealed(content, path)


def hidden_in_a_spare_field(payload, path):
    write_sealed({**content_of(path), "note": payload}, path)


@pytest.mark.parametrize(
    "write",
    [
        raw_pickle,
        sealed_pickle,
        torch_zip,
        sealed_torch_zip,
        legacy_torch_file,
        hidden_in_a_checkpoint,
        hidden_in_a_spare_field,
    ],
)
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path, a_checkpoint, write):
    save(tmp_path, a_checkpoint())
    path, touched = tmp_path / NEWEST, tmp_path / "touched"
    write(Payload(touched), path)
    with pytest.raises(UsageError, match=r"checkpoint\.pt .*refused without running anything from it"):
        load(path)
    assert not touched.exists()
    # The payload is live: a reader less careful runs it.
    with suppress(RuntimeError):  # what a bare pickle is called, after it has run
        torch.load(path, weights_only=False)
    assert touched.exists()


def test_the_seal_of_these_tests_is_that_of_a_checkpoint(tmp_path, a_checkpoint, same):
    """Else the hostile files above would be refused for the wrong reason."""
    save(tmp_path, a_checkpoint())
    content = content_of(tmp_path / NEWEST)
    write_sealed(content, tmp_path / "again.pt")
    assert same(load(tmp_path / "again.pt"), a_checkpoint())


def test_other_readers_of_zip_files_can_read_a_checkpoint(tmp_path, a_checkpoint):
    save(tmp_path, a_checkpoint())
    with zipfile.ZipFile(tmp_path / NEWEST) as archive:
        assert archive.testzip() is None


# Damage


@given(st.data())
@settings(max_examples=100)
def test_a_file_cut_short_anywhere_is_refused(whole, scratch, data):
    scratch.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UsageError, match=r"checkpoint\.pt is truncated or not a checkpoint"):
        load(scratch)


@pytest.mark.parametrize("size", [0, 1, 4, 30, 70, 71, 72, 73, 74])
def test_a_file_of_which_next_to_nothing_is_left_is_refused(whole, scratch, size):
    for rest in (whole[:size], whole[len(whole) - size :]):
        scratch.write_bytes(rest)
        with pytest.raises(UsageError, match=r"truncated|damaged"):
            load(scratch)


def test_the_last_byte_counts(whole, scratch):
    scratch.write_bytes(whole[:-1])
    with pytest.raises(UsageError, match="truncated or not a checkpoint"):
        load(scratch)


@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=300)
def test_a_flipped_bit_is_refused(whole, scratch, share, bit):
    flipped = bytearray(whole)
    flipped[int(share * len(whole))] ^= 1 << bit
    scratch.write_bytes(flipped)
    with pytest.raises(UsageError, match=r"truncated|damaged"):
        load(scratch)


def test_a_flipped_bit_in_the_numbers_is_refused(whole, scratch, a_checkpoint):
    tensor = a_checkpoint().model["w_AB"].numpy().tobytes()
    begin = whole.index(tensor)
    for position in range(begin, begin + len(tensor)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << (position % 8)
        scratch.write_bytes(flipped)
        with pytest.raises(UsageError, match="damaged"):
            load(scratch)


def test_an_entry_marked_as_a_folder_is_refused(whole, scratch, a_checkpoint):
    """torch would leave its numbers uninitialised: checksums of the entries alone do not catch this."""
    with zipfile.ZipFile(scratch_with(scratch, whole)) as archive:
        entries = len(archive.infolist())
    begin, attributes_at = 0, 38
    for _ in range(entries):
        begin = whole.index(b"PK\x01\x02", begin + 1)
        flipped = bytearray(whole)
        flipped[begin + attributes_at] ^= 0x10
        scratch.write_bytes(flipped)
        with pytest.raises(UsageError, match="damaged"):
            load(scratch)


def scratch_with(path, content):
    path.write_bytes(content)
    return path


# Foreign files


def write_state_dict(path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), path)


def write_sealed_state_dict(path):
    write_sealed(torch.nn.Linear(2, 2).state_dict(), path)


def write_tensor(path):
    torch.save(torch.zeros(3), path)


def write_sealed_tensor(path):
    write_sealed(torch.zeros(3), path)


def write_text(path):
    path.write_text("not a checkpoint\n" * 100)


def write_sealed_text(path):
    path.write_bytes(sealed(b"not a checkpoint\n" * 100 + b"\0\0"))


def write_nothing(path):
    path.touch()


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")


def make_folder(path):
    path.mkdir()


def leave_out(path):
    pass


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (write_state_dict, "is truncated or not a checkpoint of ntm-repro; refused without running anything from it"),
        (write_sealed_state_dict, "is not a checkpoint of ntm-repro"),
        (write_tensor, "is truncated or not a checkpoint of ntm-repro; refused without running anything from it"),
        (write_sealed_tensor, "is not a checkpoint of ntm-repro"),
        (write_text, "is truncated or not a checkpoint of ntm-repro; refused without running anything from it"),
        (write_sealed_text, "is not safe to load; refused without running anything from it"),
        (write_nothing, "is truncated or not a checkpoint of ntm-repro; refused without running anything from it"),
        (write_zip, "is truncated or not a checkpoint of ntm-repro; refused without running anything from it"),
        (make_folder, "cannot be read (Is a directory)"),
        (leave_out, "cannot be read (No such file or directory)"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_name_and_in_one_line(tmp_path, write, why):
    write(tmp_path / NEWEST)
    with pytest.raises(UsageError) as caught:
        load(tmp_path / NEWEST)
    assert str(caught.value) == f"{tmp_path / NEWEST} {why}"


@pytest.mark.parametrize("field", ["identity", "sequences", "wall_seconds", "window", "model", "optimiser", "format"])
def test_a_checkpoint_without_one_of_its_fields_is_refused(tmp_path, a_checkpoint, field):
    save(tmp_path, a_checkpoint())
    content = content_of(tmp_path / NEWEST)
    del content[field]
    write_sealed(content, tmp_path / NEWEST)
    with pytest.raises(UsageError, match=r"checkpoint\.pt is not a checkpoint of ntm-repro$"):
        load(tmp_path / NEWEST)


@pytest.mark.parametrize("window", [None, 5, {"sequences": 1, "moon": 2}])
def test_a_window_of_another_kind_is_refused(tmp_path, a_checkpoint, window):
    save(tmp_path, a_checkpoint())
    write_sealed({**content_of(tmp_path / NEWEST), "window": window}, tmp_path / NEWEST)
    with pytest.raises(UsageError, match=r"checkpoint\.pt is not a checkpoint of ntm-repro$"):
        load(tmp_path / NEWEST)


@pytest.mark.parametrize(
    "change",
    [
        {"sequences": "10"},
        {"sequences": -1},
        {"sequences": 1.5},
        {"sequences": True},
        {"wall_seconds": float("nan")},
        {"identity": b"x"},
        {"model": [torch.zeros(1)]},
        {"model": {"w_AB": 1.0}},
        {"optimiser": torch.zeros(1)},
        {"optimiser": {"square": torch.zeros(1)}},
        {"window": {"sequences": None}},
        {"window": {"bits": float("nan")}},
    ],
    ids=str,
)
def test_a_field_of_another_kind_is_refused(tmp_path, a_checkpoint, change):
    """Sealed by whoever made it, and yet nothing that a run could go on from."""
    save(tmp_path, a_checkpoint())
    write_sealed({**content_of(tmp_path / NEWEST), **change}, tmp_path / NEWEST)
    with pytest.raises(UsageError, match=r"checkpoint\.pt is not a checkpoint of ntm-repro$"):
        load(tmp_path / NEWEST)


def test_a_newer_format_is_refused_with_the_fix(tmp_path, a_checkpoint):
    save(tmp_path, a_checkpoint())
    # A newer format may well have other fields.
    write_sealed({**content_of(tmp_path / NEWEST), "format": FORMAT + 1, "new_field": 1}, tmp_path / NEWEST)
    with pytest.raises(UsageError, match=r"checkpoint\.pt was written by a newer ntm-repro; update to use it"):
        load(tmp_path / NEWEST)


def test_an_older_format_is_refused_with_the_fix(tmp_path, a_checkpoint):
    save(tmp_path, a_checkpoint())
    # An older format may well lack fields.
    content = {**content_of(tmp_path / NEWEST), "format": FORMAT - 1}
    del content["window"]
    write_sealed(content, tmp_path / NEWEST)
    with pytest.raises(UsageError) as caught:
        load(tmp_path / NEWEST)
    assert str(caught.value) == (
        f"{tmp_path / NEWEST} was written by an older ntm-repro; train again, with another run_dir"
    )


# The previous one as a way out


@pytest.fixture
def two(tmp_path, a_checkpoint):
    """A folder with checkpoints at 1,000 and 2,000 sequences."""
    for sequences in (1_000, 2_000):
        save(tmp_path, a_checkpoint(sequences))
    return tmp_path


def test_a_good_newest_checkpoint_is_loaded(two):
    assert load_or_name_previous(two / NEWEST).sequences == 2_000
    assert load_or_name_previous(two / PREVIOUS).sequences == 1_000


def test_the_refusal_names_the_previous_checkpoint(two):
    write_text(two / NEWEST)
    with pytest.raises(
        UsageError,
        match=r"checkpoint\.pt is truncated.*; checkpoint\.previous\.pt is good: resume=previous continues from its "
        r"1,000 sequences$",
    ):
        load_or_name_previous(two / NEWEST)


@pytest.mark.parametrize("spoil", [write_text, Path.unlink], ids=["bad too", "missing"])
def test_the_refusal_does_not_name_a_previous_checkpoint_that_is_no_help(two, spoil):
    write_text(two / NEWEST)
    spoil(two / PREVIOUS)
    with pytest.raises(UsageError) as caught:
        load_or_name_previous(two / NEWEST)
    assert "resume=previous" not in str(caught.value)
    assert str(two / NEWEST) in str(caught.value)


def test_a_bad_previous_checkpoint_is_not_said_to_be_good(two):
    write_text(two / PREVIOUS)
    with pytest.raises(UsageError) as caught:
        load_or_name_previous(two / PREVIOUS)
    assert "resume=previous" not in str(caught.value)
    assert str(two / PREVIOUS) in str(caught.value)


# Going back


@pytest.mark.parametrize("hard_links", [True, False])
@pytest.mark.parametrize("spoil", [None, write_text, Path.unlink], ids=["good newest", "bad newest", "no newest"])
def test_going_back_gives_up_the_newest_checkpoint(two, a_checkpoint, monkeypatch, spoil, hard_links):
    if not hard_links:
        monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    if spoil is not None:
        spoil(two / NEWEST)
    go_back(two)
    assert load(two / NEWEST).sequences == load(two / PREVIOUS).sequences == 1_000
    # However often a run goes back, and whatever it does then, the older one is there.
    go_back(two)
    save(two, a_checkpoint(1_500))
    assert (load(two / NEWEST).sequences, load(two / PREVIOUS).sequences) == (1_500, 1_000)
    save(two, a_checkpoint(2_500))
    assert (load(two / NEWEST).sequences, load(two / PREVIOUS).sequences) == (2_500, 1_500)
    assert names(two) == [PREVIOUS, NEWEST]


# A failing disk


def refuse(number):
    """A stand-in for a system call that always fails."""

    def call(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return call


def test_a_full_disk_costs_neither_checkpoint(two, a_checkpoint, contents):
    before = contents(two)
    with files_no_longer_than(1_000), pytest.raises(OSError, match="too large"):
        save(two, a_checkpoint(3_000))
    assert contents(two) == before


def test_a_disk_full_at_the_last_moment_costs_neither_checkpoint(two, a_checkpoint, contents, monkeypatch):
    before = contents(two)
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        save(two, a_checkpoint(3_000))
    assert contents(two) == before


def test_a_failing_last_step_keeps_the_newest_and_leaves_nothing_behind(two, a_checkpoint, monkeypatch):
    replace = os.replace

    def fails_at_last(source, target):
        if Path(target).name == NEWEST:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(source, target)

    monkeypatch.setattr(os, "replace", fails_at_last)
    with pytest.raises(OSError, match="Input/output"):
        save(two, a_checkpoint(3_000))
    assert names(two) == [PREVIOUS, NEWEST]
    assert load(two / NEWEST).sequences == 2_000


def test_a_failing_rename_keeps_the_newest_and_leaves_nothing_behind(tmp_path, a_checkpoint, monkeypatch):
    replace = os.replace
    for failing in range(10):
        folder = tmp_path / str(failing)
        folder.mkdir()
        for sequences in (1_000, 2_000):
            save(folder, a_checkpoint(sequences))
        calls = []

        def fails_once(*paths, calls=calls, failing=failing):
            calls.append(paths)
            if len(calls) == failing + 1:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return replace(*paths)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", fails_once)
            try:
                save(folder, a_checkpoint(3_000))
            except OSError:
                assert names(folder) == [PREVIOUS, NEWEST]
                assert load(folder / NEWEST).sequences == 2_000
                assert load(folder / PREVIOUS).sequences in (1_000, 2_000)
            else:
                break
    # The last one had no rename left to fail.
    assert failing >= 1
    assert load(folder / NEWEST).sequences == 3_000


def test_after_a_failed_save_the_next_one_works(two, a_checkpoint):
    with files_no_longer_than(1_000), pytest.raises(OSError, match="too large"):
        save(two, a_checkpoint(3_000))
    save(two, a_checkpoint(4_000))
    assert load(two / NEWEST).sequences == 4_000
    assert load(two / PREVIOUS).sequences == 2_000
    assert names(two) == [PREVIOUS, NEWEST]


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_kill_at_any_moment_leaves_the_newest_and_an_older_one(two, a_checkpoint, monkeypatch, hard_links):
    """Whatever is on the disk before or after any call that changes it is what a kill or a power cut would leave."""
    seen = []
    real_link = os.link

    def look():
        seen.append((load(two / NEWEST).sequences, load(two / PREVIOUS).sequences))

    def watched(call):
        def watching(*arguments, **options):
            look()
            try:
                return call(*arguments, **options)
            finally:
                look()

        return watching

    monkeypatch.setattr(os, "link", real_link if hard_links else refuse(errno.EPERM))
    for name in ("link", "replace", "unlink", "fsync"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    save(two, a_checkpoint(3_000))
    look()
    assert len(seen) > 6
    assert sorted(set(seen)) == [(2_000, 1_000), (2_000, 2_000), (3_000, 2_000)]


def test_a_copied_folder_is_as_good(two, tmp_path_factory):
    """The two checkpoints share nothing that a copy would lose."""
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "run"
    shutil.copytree(two, elsewhere)
    assert load(elsewhere / NEWEST).sequences == 2_000
    assert load(elsewhere / PREVIOUS).sequences == 1_000
