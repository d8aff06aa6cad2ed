"""Records and identities: what was added since a run was recorded has its default, in every comparison."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import MISSING

from ntm_repro.cli import compose, schema
from ntm_repro.cli.schema import TypedGroup
from ntm_repro.errors import InvalidSetting
from ntm_repro.training.settings import TrainSettings


@pytest.fixture
def record():
    (job,), _ = compose.jobs(["task=dynamic_ngrams", "model=lstm", "train.clip_at=3"])
    return schema.plain(job)


def test_completing_a_complete_record_changes_nothing(record):
    assert schema.completed(record) == record


def test_a_key_that_a_record_lacks_has_its_default(record):
    wanted = schema.identity(record)
    del record["train"]["clip"], record["model"]["layers"], record["task"]["context"]
    assert schema.identity(record) == wanted


def test_the_text_in_a_checkpoint_is_completed_too(record):
    wanted = schema.canonical(schema.identity(record))
    older = {key: value for key, value in json.loads(wanted).items() if key not in ("train.clip", "model.layers")}
    assert schema.completed_text(schema.canonical(older)) == wanted
    assert schema.completed_text(wanted) == wanted


@pytest.mark.parametrize("text", ["", "no JSON", "3", "[]", "{}", '{"task": 1}', '{"task": 1, "task.name": 2}'])
def test_a_text_that_is_no_identity_is_equal_to_none(text, record):
    assert schema.completed_text(text) != schema.canonical(schema.identity(record))


@pytest.mark.parametrize("section", ["train", "model", "task"])
def test_a_record_with_a_key_that_is_gone_is_another_run(section, record):
    wanted = schema.identity(record)
    record[section]["moon"] = 1
    assert schema.completed(record) == record
    assert schema.identity(record) != wanted


def test_a_rate_that_falls_to_zero_is_completed_without_its_run_length(record):
    """Where ranges were checked too, the default number of sequences would be too many for it."""
    record["train"] |= {"anneal_to": 20, "sequences": 10}
    wanted = schema.canonical(schema.identity(record))
    assert schema.completed_text(wanted) == wanted
    assert json.loads(wanted)["train.anneal_to"] == 20


@dataclass
class Longer(TrainSettings):
    """As it may be one day."""

    noise: float = 0.5


@dataclass
class LaterConfig(schema.Config):
    """With a key more in `train`, and a group more."""

    train: Longer = field(default_factory=Longer)
    extra: Any = MISSING


@dataclass
class Usual:
    name: str = "usual"
    rate: float = 1.0


@dataclass
class Other:
    name: str = "other"
    decay: float = 2.0


def extras(name):
    if name not in ("usual", "other"):
        raise InvalidSetting("name", name, "unknown")
    return {"usual": Usual, "other": Other}[name]


@pytest.fixture
def later(monkeypatch):
    monkeypatch.setattr(schema, "Config", LaterConfig)
    monkeypatch.setitem(schema.TYPED_GROUPS, "extra", TypedGroup(extras, default="usual"))
    monkeypatch.setattr(schema, "IDENTITY_KEYS", (*schema.TYPED_GROUPS, "train", "seed"))


def test_a_record_older_than_a_key_and_a_group_has_their_defaults(record, later):
    now = schema.identity(record)
    assert (now["train.noise"], now["extra.name"], now["extra.rate"]) == (0.5, "usual", 1.0)
    older = {key: value for key, value in now.items() if key != "train.noise" and not key.startswith("extra.")}
    assert schema.completed_text(schema.canonical(older)) == schema.canonical(now)
    assert schema.identity(record | {"extra": {"name": "other"}})["extra.decay"] == 2.0


def test_a_choice_outside_the_folders_path_stands_in_its_name(record):
    assert schema.variant(record, record) == ""
    assert schema.variant(record, record, ["adam"]) == "-adam"
    faster = {**record, "train": record["train"] | {"batch_size": 2}}
    assert schema.variant(faster, record, ["adam"]) == "-adam-batch_size-2"
