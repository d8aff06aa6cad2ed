"""Recipes: every pair has their values, folders and evidence; single values can be changed; they resume."""

import json

import pytest
import yaml
from omegaconf import OmegaConf
from safetensors.torch import load_file
from support.helpers import TINY
from support.jobs import one_job
from support.run_results import rows, same_weights

from ntm_repro import paper
from ntm_repro.cli import compose, factory, schema
from ntm_repro.models.initial_state import Start

# At most this many sequences; the paper's runs have a million.
LONGEST = {
    "copy": 20_000,
    "repeat_copy": 150_000,
    "associative_recall": 50_000,
    "dynamic_ngrams": 300_000,
    "priority_sort": 300_000,
}
SIZES = ("name", "size", "layers", "controller", "heads", "shift_range", "hidden_bias", "memory")
# What else of the model differs from the paper's pair: how the memory and the hidden units' biases begin.
BEGUN_OTHERWISE = {
    ("associative_recall", "ntm_ff"): {"memory": Start.per_location},
    ("repeat_copy", "ntm_ff"): {"memory": Start.per_location, "hidden_bias": 0.5},
    ("dynamic_ngrams", "ntm"): {"memory": Start.per_location},
    ("priority_sort", "ntm"): {"memory": Start.per_location},
    ("priority_sort", "ntm_ff"): {"memory": Start.per_location},
}
# How open to content read heads begin, where it is not 1.
READ_GATE = {("dynamic_ngrams", "ntm"): 2.0, ("dynamic_ngrams", "ntm_ff"): 2.0, ("priority_sort", "ntm_ff"): 0.0}
# Whose inputs have noise, and from which share of the run until which.
NOISY = {
    ("associative_recall", "ntm"): (0.0, 1.0),
    ("associative_recall", "ntm_ff"): (0.0, 1.0),
    ("repeat_copy", "ntm"): (0.15, 0.6),
    ("repeat_copy", "ntm_ff"): (0.15, 0.6),
}
# Whose optimiser's slow mean square counts in full.
FULL = {("repeat_copy", "ntm"), ("repeat_copy", "ntm_ff")}
WORDS = ("recipe=stable", "train.log_every=10", "train.checkpoint_every=20", "kernel=eager", *TINY)


@pytest.fixture(autouse=True)
def registered():
    compose.register()


@pytest.mark.parametrize("task", paper.TASKS)
@pytest.mark.parametrize("model", paper.MODELS)
def test_every_pair_is_at_the_papers_sizes_with_adam_and_a_rate_that_falls_to_zero(task, model):
    ours, theirs = one_job("recipe=stable", f"task={task}", f"model={model}"), one_job(f"task={task}", f"model={model}")
    assert ours.task == theirs.task
    other = dict(BEGUN_OTHERWISE.get((task, model), {}))
    if "memory" in other:
        other["memory"] = {**theirs.model.memory, "start": other["memory"]}
    assert {key: ours.model.get(key) for key in SIZES} == {key: theirs.model.get(key) for key in SIZES} | other
    optimiser = ours.optimiser
    assert (optimiser.name, optimiser.beta2, optimiser.full_rate) == ("steady_adam", 0.95, 1e-3)
    slow = ("full", 0.9999) if (task, model) in FULL else ("falls", 0.999)
    assert (optimiser.slow_share.name, optimiser.slow_beta2) == slow
    train = schema.settings(ours, "train")
    assert train.sequences <= LONGEST[task]
    assert (train.batch_size, train.loss_scale, train.warm_up, train.anneal_from) == (1, 1.0, 0, 0)
    assert train.anneal_to == train.sequences
    assert train.input_noise == (0.17 if (task, model) in NOISY else 0.0)
    assert (train.input_noise_from, train.input_noise_until) == NOISY.get((task, model), (0.0, 1.0))
    averaged = model != "lstm" and task not in ("dynamic_ngrams", "priority_sort")
    assert train.average_over == (1_000 if averaged else 0)
    assert 0 < train.learning_rate_after(train.sequences - 1) < 2 * train.learning_rate / train.sequences
    assert (ours.recipe, theirs.recipe) == ("stable", "paper")
    assert ours.run_dir == f"results/runs/stable/{task}/{model}/seed1"
    assert theirs.run_dir == f"results/runs/{task}/{model}/seed1"
    if model != "lstm":
        assert ours.model.initial.read_gate == READ_GATE.get((task, model), 1.0)
        assert ours.model.scale_inputs.name == ("quietest" if model == "ntm" else "faintest")


def test_every_pair_of_the_paper_has_its_file():
    assert set(compose.options("stable")) == {f"{task}_{model}" for task in paper.TASKS for model in paper.MODELS}


def test_the_papers_recipe_adds_nothing():
    job = one_job("task=priority_sort", "model=ntm_ff")
    assert one_job("task=priority_sort", "model=ntm_ff", "recipe=paper") == job
    assert not any(key.startswith("recipe") for key in schema.identity(schema.plain(job)))
    assert set(job.model.initial.values()) == {0.0, 1.0}
    assert job.model.scale_inputs.name == "none"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), "seed1"),
        (("seed=3", "optimiser=steady_adam", "train.learning_rate=1e-3", "model.initial.read_gate=1"), "seed3"),
        (("optimiser=adam",), "seed1-adam"),
        (("model.initial.read_gate=0",), "seed1-initial.read_gate-0"),
        (("optimiser=graves_rmsprop",), "seed1-graves_rmsprop"),
        (("optimiser=graves_rmsprop", "optimiser.decay=0.9"), "seed1-graves_rmsprop-decay-0.9"),
        (("optimiser.beta2=0.999",), "seed1-beta2-0.999"),
        # Its length decides how its rate falls.
        (("train.sequences=25000",), "seed1-anneal_to-25000"),
        (("train.sequences=20000", "train.anneal_to=0"), "seed1-anneal_to-0"),
    ],
)
def test_a_folder_names_what_differs_from_the_recipes_own_values(words, name):
    assert one_job("recipe=stable", *words).run_dir == f"results/runs/stable/copy/ntm/{name}"


def test_changed_values_win_over_the_recipes(tmp_path):
    job = one_job(
        "recipe=stable", "model.initial.write_shift=0.5", "train.learning_rate=0.1", "model.scale_inputs=none"
    )
    assert (job.model.initial.write_shift, job.model.initial.forget_gate) == (0.5, -1.0)
    assert job.train.learning_rate == 0.1
    assert job.model.scale_inputs.name == "none"


def test_a_task_of_ones_own_gets_the_common_values(command, tmp_path):
    own = tmp_path / "own/task/short_copy.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("name: copy\nmin_length: 1\nmax_length: 2\n")
    small = [word for word in TINY if not word.startswith("task.")]
    words = ("--config-dir", "own", "task=short_copy", "recipe=stable", "--cfg", "job", *small)
    job = yaml.safe_load(command("train", *words).stdout)
    assert (job["model"]["initial"]["read_gate"], job["optimiser"]["beta2"]) == (1.0, 0.95)
    assert job["train"]["sequences"] == 100_000


@pytest.mark.parametrize(
    "word", ["recipe=steady", "stable=copy_ntm", "stable/model=ntm", "+stable=copy_ntm", "others/model=dnc_ntm"]
)
def test_what_is_no_recipe_is_named_in_a_line(word, command, tmp_path):
    done = command("train", word)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done
    assert (
        "choose collier_beel or dnc or paper or" in done.stderr
        or "follows from recipe=, task= and model=" in done.stderr
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("model.initial.read_gate=nan", "model.initial.read_gate=nan: must be a finite number"),
        ("model.initial.write_key_from_read=1", "model.initial.write_key_from_read=1.0: needs a feedforward"),
        ("model.initial.read_gait=1", "did you mean model.initial.read_gate?"),
        ("model.scale_inputs=loud", "model.scale_inputs"),
        ("train.schedule=steps", "train.schedule"),
        ("train.warm_up=-1", "train.warm_up=-1: must be 0 or more"),
    ],
)
def test_a_wrong_value_is_named_in_a_line(word, said, command, tmp_path):
    done = command("train", word)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_channels_are_scaled_where_training_begins_and_only_there():
    config = one_job("recipe=stable", "task=repeat_copy")
    task = schema.settings(config, "task")
    scaled, plain = factory.fresh_model(config, task), factory.model(config, task)
    columns = (
        scaled.controller.layers[0].gates.weight[:, : task.inputs]
        / plain.controller.layers[0].gates.weight[:, : task.inputs]
    )
    assert columns[:, :6].detach().numpy() == pytest.approx(1.0)
    assert columns[:, 6].detach().numpy() == pytest.approx(3.0)  # the flag speaks at a third as many steps as a bit
    assert columns[:, 7].detach().numpy() == pytest.approx(3 * 8.25**0.5 / 0.5, rel=1e-5)


def test_a_stopped_run_goes_on_to_the_same_bits_and_says_its_recipe(command, tmp_path):
    """Three slots of an optimiser, a warm-up, a cosine to zero, initial values and scaled inputs."""
    words = ("train.schedule=cosine", "train.warm_up=15", "train.anneal_to=60", "model.initial.memory=2", *WORDS)
    command("train", "run_dir=straight", "train.sequences=60", *words)
    command("train", "run_dir=stopped", "train.sequences=30", *words)
    done = command("train", "run_dir=stopped", "train.sequences=60", *words)
    assert "resumed at 30 sequences" in done.stdout, done
    assert rows(tmp_path / "stopped") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "stopped", tmp_path / "straight")
    rates = [float(row["learning_rate"]) for row in rows(tmp_path / "straight")]
    assert rates[0] < rates[1]
    assert rates[1:] == sorted(rates[1:], reverse=True)
    for folder in ("straight", "stopped"):
        assert json.loads((tmp_path / folder / "summary.json").read_text())["recipe"] == "stable"
        assert yaml.safe_load((tmp_path / folder / "config.yaml").read_text())["recipe"] == "stable"

    again = command("train", "run=straight")
    assert again.returncode == 0, again.stderr
    (rerun,) = (tmp_path / "results/reruns/stable/copy/ntm").iterdir()
    assert same_weights(rerun, tmp_path / "straight")
    assert yaml.safe_load((rerun / "config.yaml").read_text())["recipe"] == "stable"


def test_a_longer_annealed_run_is_another_run(command):
    command("train", "run_dir=out", "train.sequences=20", *WORDS)
    done = command("train", "run_dir=out", "train.sequences=40", *WORDS)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "holds another run (its train.anneal_to is 20, not 40)" in done.stderr


# The recipes that others use

OTHERS = {
    "pytorch_ntm": ("rmsprop", 1, 1e-4, "mean", "value", 10.0, "random"),
    "collier_beel": ("adam", 32, 1e-3, "nats", "norm", 50.0, "constant"),
    "dnc": ("rmsprop", 16, 1e-4, "nats", "norm", 50.0, "shared"),
}


@pytest.mark.parametrize("recipe", OTHERS)
@pytest.mark.parametrize("task", paper.TASKS)
@pytest.mark.parametrize("model", paper.MODELS)
def test_every_pair_is_at_the_papers_sizes_with_the_values_of_others(recipe, task, model):
    ours = one_job(f"recipe={recipe}", f"task={task}", f"model={model}")
    theirs = one_job(f"task={task}", f"model={model}")
    assert ours.task == theirs.task
    sizes = set(SIZES) - {"memory", "hidden_bias"}
    assert {key: ours.model.get(key) for key in sizes} == {key: theirs.model.get(key) for key in sizes}
    name, batch, rate, loss, clip, at, start = OTHERS[recipe]
    train = schema.settings(ours, "train")
    assert (ours.optimiser.name, train.batch_size, train.learning_rate) == (name, batch, rate)
    assert (train.loss.name, train.clip.name, train.clip_at, train.clip_through_time) == (loss, clip, at, False)
    assert train.learning_rate_after(10**6) == rate
    assert ours.run_dir == f"results/runs/{recipe}/{task}/{model}/seed1"
    if model != "lstm":
        memory, usual = ours.model.memory, theirs.model.memory
        begin = start if start != "shared" else usual.start.name  # as with recipe=paper
        assert (memory.locations, memory.width, memory.start.name) == (usual.locations, usual.width, begin)
        open_gate = recipe != "pytorch_ntm" and model == "ntm"
        assert ours.model.initial.forget_gate == (1.0 if open_gate else 0.0)
        assert ours.model.scale_inputs.name == "none"


def test_each_library_has_its_own_rmsprop():
    torch_, tensorflow = (one_job(f"recipe={recipe}").optimiser for recipe in ("pytorch_ntm", "dnc"))
    assert (torch_.decay, torch_.momentum, torch_.epsilon, torch_.first_square) == (0.95, 0.9, 1e-8, 0.0)
    assert (tensorflow.decay, tensorflow.momentum, tensorflow.epsilon, tensorflow.first_square) == (
        0.9,
        0.9,
        1e-10,
        1.0,
    )
    choices = [(each.epsilon_in_root, each.rate_in_momentum) for each in (torch_, tensorflow)]
    assert choices == [(False, False), (True, True)]


@pytest.mark.parametrize("recipe", OTHERS)
def test_a_stopped_run_of_theirs_goes_on_to_the_same_bits(recipe, command, tmp_path):
    words = (f"recipe={recipe}", "train.log_every=10", "train.checkpoint_every=20", "train.batch_size=2", *TINY)
    command("train", "run_dir=straight", "train.sequences=40", *words)
    command("train", "run_dir=stopped", "train.sequences=20", *words)
    done = command("train", "run_dir=stopped", "train.sequences=40", *words)
    assert "resumed at 20 sequences" in done.stdout, done
    assert rows(tmp_path / "stopped") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "stopped", tmp_path / "straight")
    if recipe != "dnc":  # the memory that they began with
        config = schema.typed(OmegaConf.load(tmp_path / "straight/config.yaml"))
        first = factory.fresh_model(config, schema.settings(config, "task"))
        kept = load_file(tmp_path / "straight/weights.safetensors")
        assert (kept["start.memory_NM"] == first.start.memory_NM).all()


def test_a_mean_loss_needs_the_clip_through_time_off(command, tmp_path):
    done = command("train", "train.loss=mean")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done
    assert "train.clip_through_time=True: must be false with train.loss=mean" in done.stderr
    assert list(tmp_path.iterdir()) == []
