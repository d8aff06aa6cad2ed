"""A run in its folder, from the first file to the last, and through everything that can stop it."""

import errno
import json
import os
import resource
import signal
import threading

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from support.helpers import PATIENCE, files_no_longer_than
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from tensorboard.summary.writer import event_file_writer

from ntm_repro import loss
from ntm_repro.environment import cpu_name
from ntm_repro.errors import RunError, UsageError
from ntm_repro.jit.vectors import vector_bits
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import metrics, resume, tensorboard_images
from ntm_repro.training.interruption import Interrupted
from ntm_repro.training.loggers import CsvLogger, TensorBoardLogger
from ntm_repro.training.run import draw_example, run
from ntm_repro.training.run_folder import Resume, RunFolder

HEADER = (
    "sequences,bits_per_sequence,error_bits,grad_norm,grad_norm_max,learning_rate,sequences_per_second,wall_seconds\n"
)
SUMMARY_KEYS = [
    *("task", "model", "seed", "parameters", "sequences"),
    *(
        "first_sequence",
        "initial_weights",
        "initial_weights_sha256",
        "final_bits",
        "first_below_1",
        "first_below_0_1",
        "first_below_0_05",
    ),
    *("stays_below_1", "stays_below_0_1", "stays_below_0_05"),
    *("solved_below_1", "solved_below_0_1", "solved_below_0_05"),
    *("wall_seconds", "status", "versions", "commit", "dirty", "cpu", "vector_bits", "device", "threads"),
    *("optimiser", "recipe", "config"),
]
RECORD = {
    "task": {"name": "copy", "max_length": 3},
    "model": {"name": "ntm", "controller": {"size": 8, "layers": 1}},
    "train": {"learning_rate": 0.01, "nothing": None, "list": [1, 2]},
    "seed": 1,
    "resume": "auto",
}
TEXT = "task:\n  name: copy\nseed: 1\n"
EVERYTHING = {"scalars": 0, "images": 0, "tensors": 0}  # 0: keep all


class Killed(BaseException):
    """Stands for a process that ends without a chance to save anything."""


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "runs" / "a")


@pytest.fixture
def go(tiny_trainer, folder, monkeypatch):
    """A function that starts or resumes the run of this test as the command does; returns the trainer and the summary.

    at: (sequence count, what to do once it is reached, before the next update).
    """
    # TensorBoard reads files by name: of two begun in the same second, number 10 would come before number 9.
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))

    def start(at=None, how="auto", change=None, task=None, is_hopeless=lambda _: False, **settings):
        settings = {"sequences": 6, "log_every": 2, "checkpoint_every": 3, "learning_rate": 0.01} | settings
        trainer = tiny_trainer(task=task, **settings)
        identity = trainer.identity
        if change is not None:
            change(trainer)
        if at is not None:
            count, act = at
            update = trainer.update

            def watched():
                if trainer.sequences == count:
                    act()
                update()

            trainer.update = watched
        with folder.locked():
            recorded = identity if folder.config.exists() else None
            plan = resume.decide(folder, identity, recorded, "", Resume[how], settings["sequences"])
            return trainer, run(trainer, folder, plan, RECORD, TEXT, is_hopeless)

    return start


def kill():
    raise Killed


def press_ctrl_c():
    # Sent to the process it may reach another thread first, and a second one is then taken for the same.
    signal.raise_signal(signal.SIGINT)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def summary_of(folder):
    return json.loads(folder.summary.read_text())


def sequences_in(folder):
    """The sequence counts in metrics.csv, read strictly."""
    header, *lines = folder.metrics.read_text().splitlines(keepends=True)
    assert header == HEADER
    assert all(line.endswith("\n") and line.count(",") == 7 for line in lines)
    return [int(line.split(",")[0]) for line in lines]


def timeless(folder):
    """The rows of metrics.csv without what depends on the clock."""
    return [{name: row[name] for name in list(row)[:6]} for row in metrics.read_rows(folder.metrics)]


def board_of(folder):
    """What TensorBoard shows of a run."""
    return EventAccumulator(str(folder.path), size_guidance=EVERYTHING).Reload()


def steps_in(board, tag="bits_per_sequence"):
    return [event.step for event in board.Scalars(tag)]


# A run that goes well


def test_a_finished_run_leaves_the_files_of_the_contract(go, folder):
    go()
    names = sorted(path.name for path in folder.path.iterdir() if path.name != ".lock")
    events = [name for name in names if name.startswith("events.out.tfevents.")]
    assert len(events) == 1
    assert sorted(set(names) - set(events)) == [
        "checkpoint.previous.pt",
        "checkpoint.pt",
        "config.yaml",
        "metrics.csv",
        "summary.json",
        "weights.safetensors",
    ]
    assert folder.config.read_text() == TEXT


def test_the_record_of_a_run(go, folder, recorder, tiny_trainer):
    go()
    assert sequences_in(folder) == [2, 4, 6]
    sink = recorder()
    tiny_trainer(sequences=6, log_every=2, learning_rate=0.01).run(sink, lambda: None, lambda: False)
    assert timeless(folder) == [{name: row[name] for name in list(row)[:6]} for row in sink.rows]


def test_the_summary_of_a_run(go, folder):
    trainer, summary = go()
    assert list(summary) == SUMMARY_KEYS
    assert summary_of(folder) == summary
    rows = metrics.read_rows(folder.metrics)
    assert summary["final_bits"] == pytest.approx(sum(row["bits_per_sequence"] for row in rows) / 3, rel=1e-12)
    assert {name: summary[name] for name in ("task", "model", "seed", "sequences", "status", "device", "threads")} == {
        "task": "copy",
        "model": "ntm",
        "seed": 1,
        "sequences": 6,
        "status": "finished",
        "device": "cpu",
        "threads": torch.get_num_threads(),
    }
    assert summary["parameters"] == sum(parameter.numel() for parameter in trainer.model.parameters())
    assert summary["config"] == RECORD
    assert 0 < summary["wall_seconds"] < PATIENCE
    assert {"python", "machine", "torch", "numpy"} <= set(summary["versions"])
    assert summary["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]


def test_the_last_checkpoints_of_a_run(go, folder, snapshot, same):
    trainer, _ = go(sequences=7)
    newest = checkpoints.load(folder.path / checkpoints.NEWEST)
    assert newest.sequences == 7
    assert checkpoints.load(folder.path / checkpoints.PREVIOUS).sequences == 6
    assert same(dict(newest.model), dict(trainer.model.state_dict()))


def test_a_checkpoint_is_not_saved_twice_at_the_end(go, folder):
    """Else the older one would be the same as the newest."""
    go(sequences=6, checkpoint_every=3)
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 6
    assert checkpoints.load(folder.path / checkpoints.PREVIOUS).sequences == 3


def test_the_weights_of_a_run(go, folder, same):
    trainer, _ = go()
    assert same(load_file(folder.weights), dict(trainer.model.state_dict()))
    with safe_open(folder.weights, "pt") as file:
        assert file.metadata() == {"sequences": "6"}


def test_a_run_with_a_mean_of_its_weights_keeps_the_mean_as_its_model(go, folder, same):
    trainer, _ = go(average_over=4)
    newest = checkpoints.load(folder.path / checkpoints.NEWEST)
    assert same(load_file(folder.weights), newest.model)
    assert same(dict(newest.model), trainer.weights)
    assert same(dict(newest.optimiser["weights"]), dict(trainer.model.state_dict()))
    assert not same(dict(newest.model), dict(trainer.model.state_dict()))


def test_an_interrupted_run_with_a_mean_of_its_weights_goes_on_to_the_same_end(go, folder, tiny_trainer, same):
    with pytest.raises(Interrupted):
        go(at=(4, press_ctrl_c), sequences=8, average_over=4)
    trainer, _ = go(sequences=8, average_over=4)
    straight = tiny_trainer(sequences=8, learning_rate=0.01, average_over=4)
    for _ in range(8):
        straight.update()
    assert same(trainer.weights, straight.weights)
    assert same(dict(trainer.model.state_dict()), dict(straight.model.state_dict()))
    assert same(load_file(folder.weights), straight.weights)


def test_a_run_shorter_than_its_first_row_finishes(go, folder):
    _, summary = go(sequences=1)
    assert summary["status"] == "finished"
    assert summary["final_bits"] is None
    assert sequences_in(folder) == []
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 1


def test_a_run_says_one_line_a_row(go, capsys):
    go()
    assert len(capsys.readouterr().out.splitlines()) == 3


# TensorBoard


def test_tensorboard_has_the_scalars_of_the_record(go, folder):
    go()
    board, rows = board_of(folder), metrics.read_rows(folder.metrics)
    assert {*HEADER.strip().split(",")[1:]} <= set(board.Tags()["scalars"])
    for name in HEADER.strip().split(",")[1:]:
        events = board.Scalars(name)
        assert [event.step for event in events] == [row["sequences"] for row in rows]
        assert [event.value for event in events] == pytest.approx([row[name] for row in rows], rel=1e-6)


def test_tensorboard_has_pictures_of_the_beginning_and_each_checkpoint(go, folder, tiny_trainer):
    go()
    board = board_of(folder)
    names = ["example/input_target_output", "example/read_weighting", "example/write_weighting"]
    assert sorted(board.Tags()["images"]) == names
    drawn = draw_example(tiny_trainer())
    for name in names:
        assert [event.step for event in board.Images(name)] == [0, 3, 6]
        height, width, _ = drawn[name].shape
        assert {(event.height, event.width) for event in board.Images(name)} == {(height, width)}
        assert all(event.encoded_image_string.startswith(b"\x89PNG") for event in board.Images(name))


def test_tensorboard_has_the_config_as_text(go, folder):
    go()
    (event,) = board_of(folder).Tensors("config/text_summary")
    assert TEXT in event.tensor_proto.string_val[0].decode()
    assert event.step == 0


def test_a_hopeless_run_ends_at_its_row_with_everything_saved(go, folder):
    seen = []

    def is_hopeless(rows):
        seen.append([row["sequences"] for row in rows])
        return len(rows) == 2

    trainer, summary = go(is_hopeless=is_hopeless)
    assert (trainer.sequences, summary["sequences"], summary["status"]) == (4, 4, "pruned")
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 4
    # Wanted all the same, it goes on from there; rows from before count.
    _, summary = go(is_hopeless=is_hopeless)
    assert (summary["sequences"], summary["status"]) == (6, "finished")
    assert seen == [[2], [2, 4], [2, 4, 6]]


def test_a_run_that_is_hopeless_at_its_end_is_finished(go):
    assert go(is_hopeless=lambda rows: rows[-1]["sequences"] == 6)[1]["status"] == "finished"


def hparams_of(board):
    return {tag: HParamsPluginData.FromString(content) for tag, content in board.PluginTagToContent("hparams").items()}


def test_tensorboard_has_the_hyperparameters(go, folder):
    go()
    board = board_of(folder)
    started = hparams_of(board)["_hparams_/session_start_info"].session_start_info.hparams
    found = {name: getattr(value, value.WhichOneof("kind")) for name, value in started.items()}
    assert found == {
        "task.name": "copy",
        "task.max_length": 3,
        "model.name": "ntm",
        "model.controller.size": 8,
        "model.controller.layers": 1,
        "train.learning_rate": 0.01,
        "seed": 1,
    }
    experiment = hparams_of(board)["_hparams_/experiment"].experiment
    # Also those that this run has not: TensorBoard takes the columns of a sweep from one of its runs.
    assert {info.name.tag for info in experiment.metric_infos} == {
        f"hparam/{name}" for name in SUMMARY_KEYS if name == "final_bits" or name.startswith(("first_below", "stays"))
    }
    assert [tag for tag in board.Tags()["scalars"] if tag.startswith("hparam/")] == ["hparam/final_bits"]


def test_tensorboard_has_the_results_beside_the_hyperparameters(go, folder):
    """The table takes them from scalars of these names."""
    _, summary = go()
    board = board_of(folder)
    (event,) = board.Scalars("hparam/final_bits")
    assert event.value == pytest.approx(summary["final_bits"], rel=1e-6)


def test_the_summary_names_the_cpu(go):
    assert go()[1]["cpu"] == cpu_name()


def test_the_summary_names_the_vectors_of_compiled_code(go):
    assert go(kernel="numba")[1]["vector_bits"] == vector_bits()


def test_without_compiled_code_the_summary_names_no_vectors(go):
    assert go(kernel="eager")[1]["vector_bits"] is None


# Pictures


def test_the_pictures_show_one_fixed_sequence_of_the_greatest_length(tiny_trainer):
    trainer = tiny_trainer()
    batch = trainer.task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, 3)
    with torch.no_grad():
        y_TBO, _, trace = trainer.model.unroll(torch.from_numpy(batch.input_TBI), trace=True)
    output_TO = y_TBO[:, 0].sigmoid().numpy() * batch.mask_TO
    drawn = draw_example(trainer)
    assert np.array_equal(
        drawn["example/input_target_output"],
        tensorboard_images.stacked([batch.input_TBI[:, 0], batch.target_TBO[:, 0], output_TO]),
    )
    assert np.array_equal(
        drawn["example/read_weighting"], tensorboard_images.coloured(trace.read_weighting_BRN[:, 0, 0].numpy())
    )
    assert np.array_equal(
        drawn["example/write_weighting"], tensorboard_images.coloured(trace.write_weighting_BWN[:, 0, 0].numpy())
    )
    trainer.sequences = 5
    again = draw_example(trainer)
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)


def test_drawing_does_not_disturb_the_training(tiny_trainer, snapshot, same):
    trainer, twin = tiny_trainer(learning_rate=0.01), tiny_trainer(learning_rate=0.01)
    for _ in range(2):
        trainer.update()
        draw_example(trainer)
        twin.update()
    assert same(dict(trainer.model.state_dict()), dict(twin.model.state_dict()))


def test_a_model_without_a_memory_has_only_its_answer_drawn(tiny_trainer):
    trainer = tiny_trainer()
    unroll = trainer.kernel.unroll
    trainer.kernel.unroll = lambda x_TBI, trace=False: unroll(x_TBI)._replace(trace=None)
    assert list(draw_example(trainer)) == ["example/input_target_output"]


# Stopped on request


@pytest.mark.parametrize("stop", [press_ctrl_c, terminate])
def test_a_run_that_is_asked_to_stop_saves_everything_first(go, folder, same, stop):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted, match="stopped at 5 sequences, everything saved"):
        go(at=(4, stop))  # during the update from 4 to 5
    assert summary_of(folder)["status"] == "interrupted"
    assert summary_of(folder)["sequences"] == 5
    assert list(summary_of(folder)) == SUMMARY_KEYS
    newest = checkpoints.load(folder.path / checkpoints.NEWEST)
    assert newest.sequences == 5
    assert same(load_file(folder.weights), newest.model)
    assert checkpoints.load(folder.path / checkpoints.PREVIOUS).sequences == 3
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_an_interrupted_run_goes_on_to_the_same_end(go, folder, tmp_path, tiny_trainer, same):
    with pytest.raises(Interrupted):
        go(at=(4, press_ctrl_c), sequences=8)
    trainer, summary = go(sequences=8)
    assert summary["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8]
    straight = RunFolder(tmp_path / "straight")
    straight.path.mkdir()
    other = tiny_trainer(sequences=8, log_every=2, checkpoint_every=3, learning_rate=0.01)
    run(other, straight, resume.ResumeDecision(), RECORD, TEXT)
    assert same(dict(trainer.model.state_dict()), dict(other.model.state_dict()))
    assert folder.weights.read_bytes() == straight.weights.read_bytes()
    assert timeless(folder) == timeless(straight)
    assert summary["final_bits"] == summary_of(straight)["final_bits"]


def test_a_second_ctrl_c_stops_at_once_and_the_checkpoints_stay_usable(go, folder):
    def twice():
        press_ctrl_c()
        press_ctrl_c()

    with pytest.raises(KeyboardInterrupt) as caught:
        go(at=(4, twice), sequences=8)
    assert not isinstance(caught.value, Interrupted)
    assert summary_of(folder)["status"] == "interrupted"
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 3
    assert go(sequences=8)[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8]


def test_a_run_stopped_in_its_first_update_can_be_resumed(go, folder):
    with pytest.raises(Interrupted, match="stopped at 1 sequences"):
        go(at=(0, press_ctrl_c), sequences=2)
    assert go(sequences=2)[1]["status"] == "finished"


def test_a_run_stopped_before_its_first_update_can_be_resumed(go, folder):
    with pytest.raises(Interrupted, match="stopped at 0 sequences, everything saved"):
        go(change=lambda trainer: setattr(trainer, "run", lambda sink, save, stopped: False))
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 0
    assert go(how="must")[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6]


def test_a_stop_during_the_last_update_is_a_finish(go, folder):
    _, summary = go(at=(5, press_ctrl_c))
    assert summary["status"] == "finished"


def test_wall_seconds_add_up_over_resumes(go, folder):
    with pytest.raises(Interrupted):
        go(at=(3, press_ctrl_c))
    checkpoint = checkpoints.load(folder.path / checkpoints.NEWEST)
    checkpoint.wall_seconds = 5_000.0
    checkpoints.save(folder.path, checkpoint)
    _, summary = go()
    assert 5_000 < summary["wall_seconds"] < 5_000 + PATIENCE


# Killed


def test_a_killed_run_counts_as_interrupted(go, folder):
    """The summary must be true whenever the power fails."""
    with pytest.raises(Killed):
        go(at=(2, kill))
    assert summary_of(folder)["status"] == "interrupted"
    assert list(summary_of(folder)) == SUMMARY_KEYS


def test_a_killed_run_goes_on_from_its_checkpoint_without_double_or_torn_rows(go, folder):
    with pytest.raises(Killed):
        go(at=(5, kill), sequences=8)
    # Rows 2 and 4 are there, the checkpoint is at 3.
    with folder.metrics.open("a") as file:
        file.write("6,12.5,3.0,0.2")
    assert go(sequences=8)[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8]


def test_a_run_killed_as_it_goes_on_tells_of_what_its_checkpoint_has(go, folder):
    with pytest.raises(Killed):
        go(at=(5, kill))
    first_row, second_row = metrics.read_rows(folder.metrics)
    assert second_row["sequences"] == 4
    with pytest.raises(Killed):
        go(at=(3, kill))
    assert summary_of(folder)["sequences"] == 3
    assert summary_of(folder)["final_bits"] == first_row["bits_per_sequence"]


def test_the_record_is_on_the_disk_before_a_checkpoint_that_counts_on_it(go, monkeypatch):
    calls = []

    def noted(owner, name, what):
        call = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *arguments: (calls.append(what), call(*arguments))[1])

    noted(CsvLogger, "flush", "record")
    noted(TensorBoardLogger, "flush", "board")
    noted(checkpoints, "save", "checkpoint")
    go()
    assert calls == ["record", "board", "checkpoint"] * 2


def test_a_killed_run_goes_on_to_the_same_record(go, folder, tmp_path, tiny_trainer):
    for at in (4, 5, 7):
        with pytest.raises(Killed):
            go(at=(at, kill), sequences=8)
    go(sequences=8)
    straight = RunFolder(tmp_path / "straight")
    straight.path.mkdir()
    other = tiny_trainer(sequences=8, log_every=2, checkpoint_every=3, learning_rate=0.01)
    run(other, straight, resume.ResumeDecision(), RECORD, TEXT)
    assert timeless(folder) == timeless(straight)
    assert folder.weights.read_bytes() == straight.weights.read_bytes()


def test_tensorboard_curves_of_a_resumed_run_do_not_double(go, folder):
    with pytest.raises(Killed):
        go(at=(5, kill), sequences=8, log_every=1)
    go(sequences=8, log_every=1)
    board = board_of(folder)
    for name in HEADER.strip().split(",")[1:]:
        assert steps_in(board, name) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event.step for event in board.Images("example/read_weighting")] == [0, 3, 6, 8]


def test_tensorboard_curves_of_a_run_that_begins_again_do_not_double(go, folder):
    """It was killed before its first checkpoint."""
    with pytest.raises(Killed):
        go(at=(2, kill), log_every=1)
    go(log_every=1)
    assert sequences_in(folder) == [1, 2, 3, 4, 5, 6]
    assert steps_in(board_of(folder)) == [1, 2, 3, 4, 5, 6]


# Back to the previous checkpoint


def test_a_run_goes_back_to_its_previous_checkpoint(go, folder):
    go()
    before = timeless(folder)
    trainer, summary = go(how="previous")
    assert summary["status"] == "finished"
    assert timeless(folder) == before
    assert trainer.sequences == 6


def test_a_damaged_newest_checkpoint_is_got_over(go, folder):
    with pytest.raises(Interrupted):
        go(at=(4, press_ctrl_c))
    (folder.path / checkpoints.NEWEST).write_bytes(b"torn")
    with pytest.raises(UsageError, match="resume=previous continues from its 3 sequences"):
        go()
    assert go(how="previous")[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6]


def test_a_run_that_went_back_and_was_killed_leaves_no_hole_in_its_record(go, folder):
    """The checkpoint it left behind is ahead of the record, which was cut back."""
    with pytest.raises(Killed):
        go(at=(8, kill), sequences=12, log_every=1)  # checkpoints at 3 and 6
    with pytest.raises(Killed):
        go(at=(4, kill), how="previous", sequences=12, log_every=1)
    go(sequences=12, log_every=1)
    assert sequences_in(folder) == list(range(1, 13))


# More of the same


def test_a_finished_run_goes_on_when_more_is_wanted(go, folder):
    go(sequences=4)
    _, summary = go(sequences=8)
    assert summary["status"] == "finished"
    assert summary["sequences"] == 8
    assert sequences_in(folder) == [2, 4, 6, 8]


def test_the_record_of_what_was_asked_last_is_kept(go, folder, tiny_trainer):
    go(sequences=4)
    trainer = tiny_trainer(sequences=6)
    plan = resume.ResumeDecision(checkpoints.load(folder.path / checkpoints.NEWEST))
    run(trainer, folder, plan, RECORD | {"threads": 2}, TEXT + "threads: 2\n")
    assert folder.config.read_text() == TEXT + "threads: 2\n"
    assert summary_of(folder)["config"]["threads"] == 2


# Diverged


def poison(trainer):
    with torch.no_grad():
        trainer.model.output.weight[0, 0] = torch.nan


def test_a_diverged_run_leaves_what_it_takes_to_see_it_again(go, folder, tiny_trainer):
    trainers = []
    with pytest.raises(RunError, match="the loss is not finite at sequence 4") as caught:
        go(at=(4, lambda: poison(trainers[0])), change=trainers.append)
    assert str(folder.diverged) in str(caught.value)
    assert "\n" not in str(caught.value)

    with safe_open(folder.diverged, "pt") as file:
        assert file.metadata() == {
            "sequence": "4",
            "setting": str(trainers[0].task.condition_of(trainers[0].stream, 4)),
            "cause": "the loss is not finite at sequence 4",
        }
    kept = load_file(folder.diverged)
    model = tiny_trainer().model
    model.load_state_dict({name.removeprefix("model."): kept[name] for name in kept if name.startswith("model.")})
    batch = trainers[0].task.draw(trainers[0].stream, 4, 1)
    assert np.array_equal(kept["batch.input_TBI"].numpy(), batch.input_TBI)
    bits_B = loss.bits(model.unroll(kept["batch.input_TBI"]).y_TBO, kept["batch.target_TBO"], kept["batch.mask_TO"])
    assert not bits_B.isfinite().any()


def test_a_diverged_run_says_so_and_keeps_its_checkpoints(go, folder):
    trainers = []
    with pytest.raises(RunError):
        go(at=(4, lambda: poison(trainers[0])), change=trainers.append)
    assert summary_of(folder)["status"] == "diverged"
    assert summary_of(folder)["sequences"] == 4
    assert list(summary_of(folder)) == SUMMARY_KEYS
    assert sequences_in(folder) == [2, 4]
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 3
    assert not folder.weights.exists()
    # What went wrong here was not the run's own doing: it can go on.
    assert go()[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6]


# A failing disk


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_full_while_a_row_is_written_ends_the_run_in_one_line(go, folder, contents, monkeypatch):
    write = CsvLogger.row

    def torn(sink, row):
        if row["sequences"] < 4:
            return write(sink, row)
        sink.file.write("4,12.")
        sink.file.flush()
        return full()

    with monkeypatch.context() as patch:
        patch.setattr(CsvLogger, "row", torn)
        with pytest.raises(RunError) as caught:
            go(sequences=8)
    message = str(caught.value)
    assert message.startswith(f"{folder.path}: No space left on device; stopped at 4 sequences")
    assert "checkpoints" in message
    assert "\n" not in message
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 3
    # Once there is room again, it goes on as if nothing had been.
    assert go(sequences=8)[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8]


def test_a_disk_full_at_a_checkpoint_costs_no_checkpoint(go, folder, contents, monkeypatch):
    with pytest.raises(Interrupted):
        go(at=(4, press_ctrl_c), sequences=12)
    kept = {name: contents(folder.path)[name] for name in (checkpoints.NEWEST, checkpoints.PREVIOUS)}
    with (
        monkeypatch.context() as patch,
        pytest.raises(RunError, match="No space left on device; stopped at 6 sequences"),
    ):
        go(at=(5, lambda: patch.setattr(os, "fsync", full)), sequences=12)
    there = contents(folder.path)
    assert {name: there[name] for name in kept} == kept
    assert not [name for name in there if ".tmp" in name or ".new" in name]
    assert go(sequences=12)[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8, 10, 12]


def test_a_disk_full_from_the_start_ends_the_run_in_one_line(go, folder, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device; stopped at 0 sequences"):
        go()


# That thread's own complaint.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_file_that_may_grow_no_further_ends_the_run_in_one_line(go, folder):
    """Here it is TensorBoard's, which another thread writes."""
    with files_no_longer_than(resource.RLIM_INFINITY):

        def no_more():
            events = next(folder.path.glob("events.out.tfevents.*"))
            assert events.stat().st_size > 2_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))

        with pytest.raises(RunError) as caught:
            go(at=(5, no_more), sequences=12)
    assert "too large" in str(caught.value)
    assert checkpoints.load(folder.path / checkpoints.NEWEST).sequences == 3
    assert go(sequences=12)[1]["status"] == "finished"
    assert sequences_in(folder) == [2, 4, 6, 8, 10, 12]


def test_a_run_that_cannot_begin_leaves_no_thread_behind(go, monkeypatch):
    before = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(metrics, "write_rows", full)
        with pytest.raises(RunError, match="No space"):
            go()
    assert threading.active_count() == before


# Two at once


def test_a_second_run_in_the_same_folder_is_refused_and_touches_nothing(go, folder, contents):
    folder.path.mkdir(parents=True)
    with folder.locked():
        before = contents(folder.path)
        with pytest.raises(UsageError, match="another process is training there"):
            go()
        assert contents(folder.path) == before
    assert go()[1]["status"] == "finished"


def test_the_folder_is_locked_while_the_run_goes_on(go, folder):
    def try_to_lock():
        with pytest.raises(UsageError), folder.locked():
            pytest.fail("two hold the lock")

    go(at=(3, try_to_lock))
    with folder.locked():
        pass
