"""What a run does in a folder, decided before anything is written there."""

import json

import pytest

from ntm_repro.errors import UsageError
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import metrics, resume
from ntm_repro.training.run_folder import Resume, RunFolder

OURS, THEIRS = '{"run": "tiny"}', '{"run": "other"}'


def plan(folder, how="auto", sequences=100, recorded=OURS, difference=""):
    return resume.decide(RunFolder(folder), OURS, recorded, difference, Resume[how], sequences)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "a"


@pytest.fixture
def begun(folder, a_checkpoint):
    """A run's folder with the given checkpoints, saved in this order, the rows they count on, and a summary."""

    def make(*sequences, status="interrupted", identity=OURS):
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text("a: 1\n")
        ends = []
        for count in sequences:
            checkpoint = a_checkpoint(count, identity)
            checkpoints.save(folder, checkpoint)
            ends.append(count - checkpoint.window.sequences)
        rows = [dict.fromkeys(metrics.COLUMNS, 1.0) | {"sequences": end} for end in ends]
        metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
        last = sequences[-1] if sequences else 0
        (folder / "summary.json").write_text(json.dumps({"status": status, "sequences": last}))
        return folder

    return make


# Nothing there


def empty_folder(folder):
    folder.mkdir(parents=True)


def missing_folder(folder):
    pass


def leftovers(folder):
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "config.yaml").write_text("a: 1\n")
    (folder / "train.log").write_text("begin\n")
    (folder / ".lock").touch()


nothing_there = pytest.mark.parametrize("make", [missing_folder, empty_folder, leftovers])


@nothing_there
@pytest.mark.parametrize("how", ["auto", "never"])
def test_where_nothing_is_a_run_begins(folder, make, how):
    make(folder)
    found = plan(folder, how, recorded=None)
    assert found.checkpoint is None
    assert not found.finished


@nothing_there
@pytest.mark.parametrize("how", ["must", "previous"])
def test_where_nothing_is_nothing_can_be_resumed(folder, make, how):
    make(folder)
    with pytest.raises(UsageError, match=f"resume={how}: nothing to resume in {folder}; start with resume=auto"):
        plan(folder, how, recorded=None)


def test_planning_leaves_no_trace(folder, begun, contents):
    with pytest.raises(UsageError):
        plan(folder, "must", recorded=None)
    plan(folder, recorded=None)
    assert not folder.parent.exists()
    begun(10, 20)
    before = contents(folder)
    plan(folder)
    with pytest.raises(UsageError):
        plan(folder, "never")
    assert contents(folder) == before


# Somebody else's


@pytest.mark.parametrize("how", ["auto", "must", "previous"])
def test_a_folder_of_other_files_is_left_alone(folder, how):
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=rf"run_dir={folder}: holds files but no run .*choose another run_dir"):
        plan(folder, how, recorded=None)


@pytest.mark.parametrize("how", ["auto", "must", "previous"])
def test_another_run_is_left_alone_and_the_difference_named(begun, how):
    folder = begun(10, 20)
    with pytest.raises(UsageError, match=rf"run_dir={folder}: holds another run \(seed: 1 there, 2 wanted\); choose"):
        plan(folder, how, recorded=THEIRS, difference="seed: 1 there, 2 wanted")


def test_another_run_is_left_alone_even_if_finished(begun):
    folder = begun(100, status="finished")
    with pytest.raises(UsageError, match="holds another run"):
        plan(folder, recorded=THEIRS)


@pytest.mark.parametrize("make", [lambda begun: begun(), lambda begun: begun(100, status="finished")])
def test_resume_never_refuses_whatever_is_there(begun, make):
    folder = make(begun)
    with pytest.raises(UsageError, match=f"resume=never: {folder} is not empty; choose another run_dir, or remove"):
        plan(folder, "never")


@pytest.mark.parametrize("how", ["auto", "must", "previous"])
def test_a_checkpoint_of_another_run_is_refused_by_name(begun, how):
    folder = begun(10, 20, identity=THEIRS)
    name = "checkpoint.previous.pt" if how == "previous" else "checkpoint.pt"
    with pytest.raises(UsageError, match=f"{folder / name} belongs to another run"):
        plan(folder, how)


# Going on


@pytest.mark.parametrize(("how", "sequences"), [("auto", 20), ("must", 20), ("previous", 10)])
def test_a_run_goes_on_from_its_checkpoint(begun, a_checkpoint, same, how, sequences):
    found = plan(begun(10, 20), how)
    assert same(found.checkpoint, a_checkpoint(sequences))
    assert not found.finished
    assert found.went_back == (how == "previous")


@pytest.mark.parametrize("status", ["diverged", "interrupted"])
def test_a_run_that_has_all_its_sequences_but_did_not_finish_goes_on(begun, status):
    """Its weights and its summary are still to be written."""
    found = plan(begun(90, 100, status=status))
    assert found.checkpoint.sequences == 100
    assert not found.finished


def test_a_run_that_stopped_before_its_first_checkpoint_begins_again(begun):
    found = plan(begun())
    assert found.checkpoint is None
    assert not found.finished


@pytest.mark.parametrize(("how", "name"), [("must", "checkpoint.pt"), ("previous", "checkpoint.previous.pt")])
def test_a_run_without_a_checkpoint_cannot_be_resumed(begun, how, name):
    folder = begun()
    with pytest.raises(UsageError, match=rf"resume={how}: no checkpoint\S*\.pt in {folder}; start with resume=auto"):
        plan(folder, how)


def test_resume_previous_wants_the_previous_checkpoint(begun):
    folder = begun(10)
    with pytest.raises(UsageError, match=rf"resume=previous: no checkpoint\.previous\.pt in {folder}"):
        plan(folder, "previous")


@pytest.mark.parametrize("how", ["auto", "must"])
def test_where_only_the_previous_checkpoint_is_left_it_is_taken(begun, how):
    folder = begun(10, 20)
    (folder / "checkpoint.pt").unlink()
    found = plan(folder, how)
    assert found.checkpoint.sequences == 10
    assert found.went_back


def test_a_bad_checkpoint_stops_the_run_and_names_the_way_out(begun):
    folder = begun(10, 20)
    (folder / "checkpoint.pt").write_bytes(b"torn")
    with pytest.raises(UsageError, match=r"checkpoint\.previous\.pt is good: resume=previous continues from its 10 "):
        plan(folder)
    assert plan(folder, "previous").checkpoint.sequences == 10


@pytest.mark.parametrize("summary", ["", "{", "[]", '"finished"', "{}", '{"status": "finished"}'])
def test_an_unreadable_summary_does_not_stop_a_run(begun, summary):
    folder = begun(10, 20)
    (folder / "summary.json").write_text(summary)
    found = plan(folder, sequences=20)
    assert found.checkpoint.sequences == 20
    assert not found.finished


def test_a_summary_without_a_count_does_not_stop_a_run(begun):
    folder = begun(10, 20)
    (folder / "summary.json").write_text('{"status": "finished", "sequences": null}')
    assert not plan(folder, sequences=20).finished


# A record with a hole


def lost(path):
    path.unlink()


def emptied(path):
    path.write_text("")


def cut(path):
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def a_row_damaged(path):
    path.write_text(path.read_text().replace("\n7,1.0", "\n7,1.O"))


def header_damaged(path):
    path.write_text(path.read_text().replace("grad_norm,", "grad norm,"))


def no_number(path):
    path.write_text(path.read_text().replace("\n17,", "\ninf,"))


@pytest.mark.parametrize("damage", [lost, emptied, cut, a_row_damaged, header_damaged, no_number])
def test_a_record_that_lost_rows_is_not_gone_on_with(begun, contents, damage):
    """It would be written anew up to where it can be read, and the rows after that would be gone for good."""
    folder = begun(10, 20)
    damage(folder / "metrics.csv")
    before = contents(folder)
    with pytest.raises(UsageError, match=r"metrics\.csv: its rows can be read up to \d+ .* up to 17; put it back"):
        plan(folder, sequences=100)
    assert contents(folder) == before


def test_rows_lost_after_the_previous_checkpoint_do_not_matter_to_it(begun):
    folder = begun(10, 20)
    cut(folder / "metrics.csv")
    assert plan(folder, "previous", sequences=100).checkpoint.sequences == 10


# Finished


@pytest.mark.parametrize("how", ["auto", "must"])
@pytest.mark.parametrize("wanted", [100, 99, 1])
def test_a_finished_run_is_done(begun, how, wanted):
    assert plan(begun(90, 100, status="finished"), how, wanted).finished


@pytest.mark.parametrize("how", ["auto", "must"])
def test_a_finished_run_of_which_more_is_wanted_goes_on(begun, how):
    found = plan(begun(90, 100, status="finished"), how, 101)
    assert found.checkpoint.sequences == 100
    assert not found.finished


def test_a_finished_run_goes_on_from_its_previous_checkpoint_when_told_to(begun):
    found = plan(begun(90, 100, status="finished"), "previous", 100)
    assert found.checkpoint.sequences == 90
    assert not found.finished


def test_resume_previous_goes_back_even_if_the_newest_checkpoint_is_gone(begun):
    folder = begun(90, 100, status="finished")
    (folder / "checkpoint.pt").unlink()
    found = plan(folder, "previous", 100)
    assert found.checkpoint.sequences == 90
    assert not found.finished


def test_a_finished_record_is_done_without_its_checkpoints(begun):
    """As the evidence is kept."""
    folder = begun(100, status="finished")
    (folder / "checkpoint.pt").unlink()
    assert plan(folder, sequences=100).finished
    assert plan(folder, "must", sequences=100).finished


def test_a_finished_record_without_checkpoints_begins_again_where_more_is_wanted(begun):
    folder = begun(100, status="finished")
    (folder / "checkpoint.pt").unlink()
    found = plan(folder, sequences=101)
    assert found.checkpoint is None
    assert not found.finished


def test_a_summary_ahead_of_the_checkpoint_is_not_believed(begun):
    """A folder put together from two: the weights at hand are those of the checkpoint."""
    folder = begun(50, status="finished")
    (folder / "summary.json").write_text('{"status": "finished", "sequences": 100}')
    found = plan(folder, sequences=100)
    assert found.checkpoint.sequences == 50
    assert not found.finished


# Where it cannot be written


def test_a_folder_that_cannot_be_made_is_refused_before_anything_else(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        plan(tmp_path / "file" / "run", "must", recorded=None)
