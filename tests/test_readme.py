"""What the README says of the code is what the code says."""

import re
from pathlib import Path

import pytest

from ntm_repro import models, paper, tasks
from ntm_repro.cli import compose, schema

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
TASKS = {
    "copy": "copy",
    "repeat copy": "repeat_copy",
    "associative recall": "associative_recall",
    "dynamic N-grams": "dynamic_ngrams",
    "priority sort": "priority_sort",
}
# Tables 1 to 3 of the paper.
PAPER = {
    "copy": (67_561, 17_162, 1_352_969),
    "repeat_copy": (66_111, 16_712, 5_312_007),
    "associative_recall": (70_330, 146_845, 1_344_518),
    "dynamic_ngrams": (61_749, 14_656, 331_905),
    "priority_sort": (269_038, 508_305, 384_424),
}


def table_of_parameters():
    """{task: six numbers, ours and the paper's for ntm, ntm_ff and lstm in turn}."""
    rows = {}
    for line in README.splitlines():
        name, *numbers = [cell.strip() for cell in line.strip("|").split("|")]
        if name in TASKS and len(numbers) == 6 and all(re.fullmatch(r"[\d,]+", number) for number in numbers):
            rows[TASKS[name]] = [int(number.replace(",", "")) for number in numbers]
    return rows


def test_the_table_of_parameters_has_every_task():
    assert list(table_of_parameters()) == list(paper.TASKS)


@pytest.mark.parametrize("task", PAPER)
def test_the_table_of_parameters_is_that_of_the_code_and_of_the_paper(task):
    compose.register()
    kind = tasks.find(task)
    ours = []
    for model in ("ntm", "ntm_ff", "lstm"):
        (job,), _ = compose.jobs([f"task={task}", f"model={model}"])
        built = models.build(schema.settings(job, "model"), kind.inputs, kind.outputs, seed=1)
        ours.append(built.parameter_count)
    numbers = table_of_parameters()[task]
    assert numbers[0::2] == ours
    assert tuple(numbers[1::2]) == PAPER[task]


def test_the_lstms_are_the_papers_to_the_unit_but_for_one_misprint():
    for task, (*_, ours, printed) in table_of_parameters().items():
        assert (ours, printed) == ((348_424, 384_424) if task == "priority_sort" else (printed, printed))


def test_the_key_table_names_every_task_and_model():
    for key, names in (("task", paper.TASKS), ("model", paper.MODELS)):
        (line,) = re.findall(rf"^\| `{key}` \| (.*) \|$", README, re.MULTILINE)
        assert set(names) <= set(re.findall(r"`(\w+)`", line))


def test_the_key_table_names_every_kernel():
    (line,) = re.findall(r"^\| others \| (.*) \|$", README, re.MULTILINE)
    assert {kernel.name for kernel in schema.Kernel} <= set(re.findall(r"`(\w+)`", line.partition("`kernel`")[2]))
