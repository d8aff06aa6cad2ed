"""What README and the pages of docs say of code and evidence is what those say."""

import csv
import re
import statistics
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest

from ntm_repro import models, optimisers, paper, tasks
from ntm_repro.cli import compose, load_run, schema
from ntm_repro.evidence import choices, reliability, run_settings
from ntm_repro.evidence import convergence as evidence_convergence
from ntm_repro.report import readme
from ntm_repro.training import convergence, metrics

ROOT = Path(__file__).resolve().parents[1]
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
README = "\n".join(PAGES.values())
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
        built = models.build(schema.settings(job, "model"), kind().inputs, kind().outputs, seed=1)
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


def test_the_results_are_those_of_the_committed_runs():
    parts = readme.parts(load_run.sources(ROOT / "results/paper"))
    assert sorted(match[2] for match in readme.MARKED.finditer(README)) == sorted(parts)
    for match in readme.MARKED.finditer(README):
        assert match[0].splitlines()[1:-1] == ["", *parts[match[2]].splitlines(), ""]  # else: make tables


@pytest.mark.parametrize(
    ("point", "pairs", "sentence"),
    [
        ("Memory before the first step", "dynamic N-grams NTM-FF", "N-grams with a feedforward controller begin from"),
        ("Shifts allowed", "priority sort", "to sort, heads jump to a place of their own"),
        ("Read before or after the write", "NTM-FF", "A feedforward controller reads the old one"),
        ("Loss", "dynamic N-grams NTM-LSTM", "the weights of N-grams with the LSTM controller drift"),
        (
            "Learning rate",
            "priority sort NTM-FF",
            "Priority sort with the feedforward controller diverges at the paper's",
        ),
        ("Clipping", "priority sort NTM-FF", "it uses a lower one, without clipping through time"),
    ],
)
def test_the_reasons_are_given_for_the_pairs_that_differ(point, pairs, sentence):
    rows = choices.table(run_settings.paired(ROOT / "results/paper")).rows
    (here,) = (row["here"] for row in rows if row["point"] == point)
    assert here.count("; ") == 1
    assert here.endswith(f": {pairs}")
    assert sentence in " ".join(README.split())


def test_the_guide_counts_the_recorded_seeds():
    (pair,) = (found for found in run_settings.paired(ROOT / "results/paper") if found[:2] == ("copy", "ntm"))
    row = next(row for row in reliability.table([pair], ROOT / "results/paper").rows if row["recipe"] == "paper")
    said = f"{row['solved']} seeds solve copy without ever falling back, {row['farthest']} get 95 of 100 sequences of"
    assert said in " ".join(README.split())


def test_the_guide_names_the_recipes_own_lengths():
    lengths = []
    for task in paper.TASKS:
        words = [[f"task={task}", f"model={model}", "recipe=stable"] for model in ("ntm", "ntm_ff")]
        ntm, ntm_ff = (job.train.sequences for (job,), _ in map(compose.jobs, words))
        other = "" if ntm == ntm_ff else f" ({ntm_ff:,})"
        lengths.append(f"{tasks.find(task)().label} {ntm:,}{other}")
    assert f"controller where they differ: {', '.join(lengths)}. " in " ".join(README.split())


@pytest.mark.parametrize(
    ("said", "recorded"),
    [
        ("a whole, at 500 to 1,900 bits", "a single sequence of 1,000 costs all,\n500 to 1,900 bits"),
        ("10 bits in associative recall", "one on recall's other plateau (10 bits"),
        ("a mean of 10⁻⁵: rare errors", "the gradient's norm is 10⁻⁵"),
        ("without that two seeds of ten stay on a plateau", "learns associative recall on eight seeds of ten"),
        (
            "are learned in a third of the sequences",
            "most seeds are below 1 bit after 2,000 to 4,000 sequences instead of 3,000 to 13,000",
        ),
        (
            "so copy keeps the start that all rows share",
            "Copy keeps the shared start: from rows that differ length 120 fails",
        ),
        (
            "With 2, one seed of five copies no sequence of 120 vectors right.",
            "With the read gate at +2 one seed of five copies no sequence of 120 vectors right",
        ),
    ],
)
def test_the_guides_numbers_are_those_of_the_log(said, recorded):
    assert said in PAGES[ROOT / "docs/training.md"]
    assert recorded in (ROOT / "LOG.md").read_text()


def test_the_windows_of_costs_are_named():
    short, long = (evidence_convergence.end_window(task) for task in ("copy", "dynamic_ngrams"))
    assert {evidence_convergence.end_window(task) for task in paper.TASKS} == {short, long}
    assert f"means of the last {short:,} sequences, of N-grams {long:,} and above" in " ".join(README.split())


def test_the_first_run_shown_is_the_recorded_one():
    rows = metrics.read_rows(ROOT / "results/stable/copy/ntm/seed1/metrics.csv")
    (shown,) = re.findall(r"^copy · ntm · seed 1 ·.*?^finished.*?$", README, re.MULTILINE | re.DOTALL)
    costs = re.findall(r"([\d,]+) sequences +([\d.]+) bits/sequence +([\d.]+) wrong bits", shown)
    assert len(costs) >= 3
    for sequences, bits, wrong in costs:
        row = rows[int(sequences.replace(",", "")) // 1_000 - 1]
        assert (bits, wrong) == (f"{row['bits_per_sequence']:.4f}", f"{row['error_bits']:.3f}")
    assert f" · {convergence.outcome(rows)} · results/runs/first" in shown


def test_the_curve_named_for_the_recorded_cpu_is_the_recorded_one():
    first = metrics.read_rows(ROOT / "results/paper/copy/ntm/seed1/metrics.csv")[0]
    said = f"{first['bits_per_sequence']:.2f} bits on the AMD EPYC of the paper recipe's recorded runs"
    assert said in " ".join(README.split())


def test_the_example_of_a_sweep_says_what_its_table_has():
    text = " ".join(README.split())
    with (ROOT / "results/sweeps/example/sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    medians = {(row["optimiser"], float(row["train.learning_rate"])): float(row["median"]) for row in rows}
    rates, tried = sorted({rate for _, rate in medians}), {name for name, _ in medians}
    runs = sum(int(row["seeds"].split(" of ")[1]) for row in rows)
    assert f"{runs} runs in 12 minutes" in text
    assert f"{runs} runs, 12 minutes on two cores" in text
    assert "The paper's RMSProp is the best optimiser at each of the three rates" in text
    assert len(rates) == 3
    for rate in rates:
        assert min(tried, key=lambda name: medians[name, rate]) == "graves_rmsprop"
    large, small = (medians["graves_rmsprop", rate] for rate in (1e-3, 1e-4))
    assert f"ends at {large:.4f} bits with 1e-3 instead of {small:.3f} with 1e-4" in text
    assert "both Adams do best at the largest rate tried" in text
    for name in tried - {"graves_rmsprop"}:
        assert min(rates, key=lambda rate: medians[name, rate]) == rates[-1]


def test_the_optimal_estimators_cost_is_that_of_the_recorded_sequences():
    (said,) = re.findall(r"the optimal estimator pays ([\d.]+) bits a sequence on average", " ".join(README.split()))
    records = [ROOT / f"results/paper/dynamic_ngrams/ntm/seed{seed}/metrics.csv" for seed in (1, 2, 3)]
    optima = [row["optimum_bits"] for path in records for row in metrics.read_rows(path)]
    assert said == f"{statistics.fmean(optima):.1f}"


def bench(batch, threads):
    """{(pair, what): row of bench.csv}."""
    with (ROOT / "results/bench/bench.csv").open() as file:
        chosen = (row for row in csv.DictReader(file) if (row["batch"], row["threads"]) == (batch, threads))
        return {(row["pair"], row["what"]): row for row in chosen}


def test_the_tables_of_speed_are_those_of_the_bench():
    for page, name, made in (
        ("README.md", "speed", readme.speed),
        ("docs/speed.md", "speed_of_pairs", readme.speed_of_pairs),
    ):
        shown = next(match for match in readme.MARKED.finditer(PAGES[ROOT / page]) if match[2] == name)
        assert "\n".join(made(ROOT / "results/bench/bench.csv")) in shown[0]


def test_no_peer_is_faster_at_any_size_of_the_bench():
    assert "At none of these sizes is a peer faster" in README
    for batch, threads in product(("1", "16"), ("1", "2")):
        for (pair, what), row in bench(batch, threads).items():
            if what not in ("fused", "end to end") and row["ratio_to_fused"]:
                assert float(row["ratio_to_fused"]) > 1, (pair, what, batch, threads)


def test_the_cost_of_a_larger_batch_is_that_of_the_bench():
    text = " ".join(README.split())
    larger = 16 * float(bench("16", "1")["copy/ntm", "fused"]["median_ms_per_sequence"])
    times = larger / float(bench("1", "1")["copy/ntm", "fused"]["median_ms_per_sequence"])
    assert f"16 sequences takes {times:.0f} times as long as one of a single sequence (copy, LSTM controller" in text


def test_the_library_snippets_run(monkeypatch):
    snippets = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(snippets) == 2
    monkeypatch.chdir(ROOT)
    for snippet in snippets:
        names = {}
        exec(snippet, names)
        assert names["y_TBO"].shape == (10, 4, 16)
        assert names["task"].name == "copy"


def test_readme_is_one_page():
    assert len(PAGES[ROOT / "README.md"].splitlines()) <= 150


def test_every_link_leads_somewhere():
    for path, text in PAGES.items():
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            page = (path.parent / file).resolve() if file else path
            assert page.exists(), (path.name, target)
            if anchor and page.suffix == ".md":
                titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
                assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], target


@pytest.mark.parametrize("name", ["graves_rmsprop", "adam"])
def test_the_key_table_names_an_optimisers_settings(name):
    (line,) = re.findall(r"^\| `optimiser` \| (.*) \|$", README, re.MULTILINE)
    settings = {field.name for field in fields(optimisers.settings_type(name)())} - {"name"}
    assert settings | {name} <= set(re.findall(r"`(\w+)`", line))
