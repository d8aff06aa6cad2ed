"""Every mistake a user can make on the command line: one line on stderr, exit code 2, nothing created anywhere."""

import re
import shlex
from pathlib import Path

import pytest

TOO_LONG = "x" * 300

# What is typed, and what the one line must name.
MISTAKES = {
    # unknown things
    "train task=foo": "choose associative_recall or copy or dynamic_ngrams or priority_sort or repeat_copy",
    "train model=foo": "model=foo: unknown; choose lstm or ntm or ntm_ff",
    "train -m model=ntm,foo": "model=foo: unknown",
    "train task=null": "task=None: unknown",
    "train task=": "task=: unknown",
    "train experiment=foo": "experiment=foo: unknown; choose fig03 or fig07 or fig10 or fig13 or fig18",
    "train debug=foo": "debug=foo: unknown; choose fast",
    "train debug=null": "debug=null: leave it out for none; or choose fast",
    "train foo=1": "foo",
    "train foo": "foo",
    "train =": "Could not override ''",
    "train train.foo=1": "train.foo",
    "train model.foo=1": "model.foo",
    "train task.foo=1": "task.foo",
    "train +foo=1": "foo",
    "train +train.foo=1": "foo",
    "train +model.foo=1": "model.foo",
    "train ++task.foo=1": "task.foo",
    "train model=lstm model.heads=2": "model.heads",
    "train --foo": "--foo: unknown option",
    "train -x": "-x: unknown option",
    "train --cfg nonsense": "--cfg",
    "train --resolve": "--resolve: says how --cfg shows a config",
    "train --package model": "--package: says how --cfg shows a config",
    "train --cfg job -m": "Only one of",
    "train --cfg job foo=1": "foo",
    "train --help foo=1": "foo",
    "train --config-name foo": "--config-name: not supported",
    "train --config-path foo": "--config-path: not supported",
    "train --config-dir foo": "--config-dir foo: no such folder",
    "train --experimental-rerun foo": "--experimental-rerun: not supported; it loads a pickle",
    "train hydra/launcher=foo": "hydra/launcher=foo: unknown, or not installed; choose basic",
    "train -m hydra/sweeper=foo seed=1,2": "hydra/sweeper=foo: unknown, or not installed; choose basic",
    "train trάin.sequences=3": "trάin",
    # the nearest known key
    "train train.sequenses=3": "train.sequenses: no such setting; did you mean train.sequences?",
    "train task.width=16": "no such setting with task=copy; it has task.bits, task.max_length, task.min_length",
    "train learning_rate=1": "learning_rate: no such setting; did you mean train.learning_rate?",
    "train +train.sequenses=3": "train.sequenses: no such setting; did you mean train.sequences?",
    "train --cfg job train.sequenses=3": "train.sequenses: no such setting; did you mean train.sequences?",
    "train tasks=copy": "tasks: no such setting",
    "train model=lstm model.heads=1 train.sequences=1": "model.heads: no such setting with model=lstm",
    # wrong types
    "train seed=abc": "seed=abc",
    "train seed=1.5": "seed=1.5",
    "train seed=null": "seed=null",
    "train seed=true": "seed=true",
    "train train.sequences=1e3": "train.sequences=1e3",
    "train train.learning_rate=abc": "train.learning_rate=abc",
    "train train.learning_rate=": "train.learning_rate=",
    "train train=null": "train=null",
    "train train.clip=foo": "train.clip=foo",
    "train model.heads=two": "model.heads",
    "train model.heads=[1,2]": "model.heads",
    "train model.heads=1.5": "model.heads",
    "train 'model.heads=[1'": "[1",
    "train model.controller=3": "model.controller=3: is a group of settings; set model.controller.size",
    "train model.memory.start=foo": "model.memory.start",
    "train model.activation=relu": "model.activation",
    "train model.read_order=never": "model.read_order",
    "train model.output_from=foo": "model.output_from",
    "train model=ntm_ff model.hidden_bias=-1": "model.hidden_bias=-1.0: must be 0 or more",
    "train model.hidden_bias=1": "model.hidden_bias",
    "train task.max_length=abc": "task.max_length",
    "train device=tpu": "device=tpu",
    "train kernel=triton": "kernel=triton",
    "train resume=maybe": "resume=maybe",
    "train 'seed=${foo:1}'": "foo",
    "train 'run_dir=${foo}'": "run_dir=${foo}: a path is taken as it stands",
    # wrong ranges
    "train seed=-1": "seed=-1",
    "train seed=99999999999999999999": "seed=99999999999999999999",
    "train threads=0": "threads=0",
    "train train.sequences=0": "train.sequences=0",
    "train train.batch_size=0": "train.batch_size=0",
    "train train.batch_size=-4": "train.batch_size=-4",
    "train train.log_every=0": "train.log_every=0",
    "train train.checkpoint_every=-5": "train.checkpoint_every=-5",
    "train train.learning_rate=nan": "train.learning_rate=nan",
    "train train.learning_rate=inf": "train.learning_rate=inf",
    "train train.learning_rate=0": "train.learning_rate=0",
    "train train.learning_rate=-1": "train.learning_rate=-1",
    "train train.clip_at=0": "train.clip_at=0",
    "train train.clip_at=nan": "train.clip_at=nan",
    "train train.loss_scale=0": "train.loss_scale=0",
    "train train.input_noise=-1": "train.input_noise=-1.0: must be 0 (none) or a finite number above 0",
    "train train.average_over=-1": "train.average_over=-1: must be 0 or more",
    "train train.input_noise_from=1": (
        "train.input_noise_from=1.0: must be a share, from 0 to below train.input_noise_until=1"
    ),
    "train train.input_noise_until=0": "train.input_noise_until=0.0: must be a share, above 0 and not above 1",
    "train train.anneal_from=-1": "train.anneal_from=-1",
    "train train.anneal_from=10 train.anneal_to=10 train.sequences=5": "train.anneal_to=10",
    "train train.anneal_to=9 train.sequences=10": "train.anneal_to=9",
    "train model.heads=0": "model.heads=0",
    "train model.controller.size=-1": "model.controller.size=-1",
    "train model.controller.layers=0": "model.controller.layers=0",
    "train model.memory.locations=0": "model.memory.locations=0",
    "train model.memory.width=0": "model.memory.width=0",
    "train model.shift_range=4": "model.shift_range=4: must be odd",
    "train model.shift_range=-1": "model.shift_range=-1",
    "train model.shift_range=129": "model.shift_range=129",
    "train model=lstm model.size=0": "model.size=0",
    "train model=lstm model.layers=0": "model.layers=0",
    "train task.min_length=0": "task.min_length=0",
    "train task.min_length=30": "task.max_length=20",
    "train task=repeat_copy task.min_repeats=0": "task.min_repeats=0: must be 1 or more",
    "train task=repeat_copy task.max_length=0": "task.max_length=0: must not be below task.min_length=1",
    "train task=associative_recall task.min_items=1": "task.min_items=1: must be 2 or more",
    "train task=dynamic_ngrams task.length=5": "task.length=5: must be above task.context=5",
    "train task=dynamic_ngrams task.context=9": "task.context=9: must be from 1 to 8",
    "train task=priority_sort task.highest=21": "task.highest=21: must be from 1 to task.vectors=20",
    "train task=priority_sort task.max_length=3": "task.max_length",
    "train device=cuda": "device=cuda: no CUDA device",
    # folders and resuming
    "train resume=must": "resume=must: nothing to resume",
    "train resume=previous": "resume=previous: nothing to resume",
    "train run_dir=/proc/x": "run_dir=/proc/x: cannot be written",
    "train run_dir=/dev/null/x": "run_dir=/dev/null/x: /dev/null is not a folder",
    "train results_dir=/proc/x": "run_dir=/proc/x/copy/ntm/seed1: cannot be written",
    f"train run_dir={TOO_LONG}": "cannot be written",
    "train run_dir=": "run_dir=: must name a folder",
    "train 'run_dir= '": "must name a folder",
    "train run_dir=/usr": "run_dir=/usr: holds files but no run",
    "train run=nowhere": "run=nowhere: no readable config.yaml",
    "train run=": "no readable config.yaml",
    "train run=a run=b": "run: give it once",
    "train run=a task=copy": "run: already says which task and model",
    # settings that are the suite's own
    "train hydra.run.dir=x": "hydra.run.dir: not supported; set run_dir=",
    "train -m hydra.sweep.dir=x": "hydra.sweep.dir: not supported; set run_dir=",
    "train +hydra.callbacks.x._target_=os.mkdir": "hydra.callbacks.x._target_: not supported",
    "train hydra.job_logging.root.level=DEBUG": "hydra.job_logging.root.level: not supported",
    "train hydra/job_logging=none": "hydra/job_logging: not supported; train.log",
    "train hydra.searchpath=[file:///tmp]": "hydra.searchpath: not supported; add --config-dir",
    "train hydra.mode=MULTIRUN seed=1,2": "hydra.mode: not supported; add -m",
    "train hydra.job.chdir=true": "hydra.job.chdir: not supported; set run_dir=",
    "train hydra.job.name=x": "hydra.job.name: not supported",
    "train -m hydra.launcher.n_jobs=1,2": "hydra.launcher.n_jobs=1,2: a setting of Hydra's takes one value",
    "train hydra.launcher._target_=os.mkdir": "hydra.launcher._target_: not supported",
    "train ++hydra.launcher._target_=os.mkdir": "hydra.launcher._target_: not supported",
    "train hydra=null": "hydra: not supported",
    "train task@foo=copy": "task@foo: a package cannot be chosen",
    "train paper=copy_ntm": "paper: follows from recipe=, task= and model=",
    "train +paper=copy_ntm": "paper: follows from recipe=, task= and model=",
    "train ~paper": "~paper",
    "train ~train": "~train: a setting cannot be removed",
    "train ~seed": "~seed: a setting cannot be removed",
    "train ~task": "~task: a setting cannot be removed",
    "train ~model.heads": "~model.heads: a setting cannot be removed",
    # sweeps
    "train seed=1,2": "seed=1,2: more than one value; to run each, add -m",
    "train model=ntm,lstm": "model=ntm,lstm: more than one value",
    "train -m seed=1,1": "two jobs of this sweep would share it",
    "train -m run_dir=x seed=1,2": "run_dir=x: two jobs of this sweep would share it",
    "train -m seed=1,x": "seed=x",
    "train -m model=ntm,lstm model.heads=2": "model=lstm; ntm-train --help names them all (in the job model=lstm",
    "train -m 'seed=interval(1,2)'": "seed=interval(1,2): has no single values",
    "train -m train.learning_rate=1e-4,0": "train.learning_rate=0",
    # ntm-eval
    "eval run=nowhere lengths=[20": "lengths=[20: cannot be read (expected ',' or ']'",
    "eval run=nowhere sequences=@": "sequences=@: cannot be read (found character '@'",
    "eval foo": "foo: unknown; ntm-eval takes run=",
    "eval run=x foo=1": "foo=1: unknown",
    "eval run=nowhere": "run=nowhere: no readable config.yaml",
    "eval lengths=[10]": "run: name a run's folder",
    "eval run=": "run=: needs a value",
    "eval run=null": "run",
    "eval run=x sequences=0": "sequences=0",
    "eval run=x sequences=abc": "sequences",
    "eval run=x threads=0": "threads=0",
    "eval run=x locations=0": "locations=0",
    "eval run=x device=tpu": "device",
    "eval run=x kernel=triton": "kernel",
    # no such command
    "foo": "usage: python -m ntm_repro train|eval",
}


@pytest.mark.parametrize("typed", MISTAKES)
def test_one_line_exit_code_2_nothing_created(typed, command, tmp_path):
    done = command(*shlex.split(typed))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert MISTAKES[typed] in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_where_a_folder_was_tried(tmp_path, command):
    before = sorted(Path("/usr").iterdir())
    command("train", "run_dir=/usr")
    assert sorted(Path("/usr").iterdir()) == before


def test_the_line_does_not_repeat_itself(start, command):
    line = start("train", "device=tpu").communicate()[1]
    assert command("train", "device=tpu").stderr == line  # a fork says what a process of its own does
    assert len(re.findall("device=tpu", line)) == 1
