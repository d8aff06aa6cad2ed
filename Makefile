# Everything runs in .venv, which each target sets up as far as it needs. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A Python 3.11–3.13 to build the environment with, and optionally a wheel index for a CPU or CUDA build of torch.
PYTHON ?= python3
TORCH_INDEX ?=
# What `make reproduce` trains, and how many runs at a time, each on one core.
JOBS ?= 2
SEEDS ?= 1 2 3
TASKS ?= $(TASK_NAMES)
MODELS ?= ntm ntm_ff lstm
# By which settings: the paper's, or those of short runs (stable).
RECIPE ?= paper

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The paper's tasks and figures, and the task that each is about.
TASK_NAMES := copy repeat_copy associative_recall dynamic_ngrams priority_sort
copy_FIGURES := fig03 fig04 fig05 fig06
repeat_copy_FIGURES := fig07 fig08 fig09
associative_recall_FIGURES := fig10 fig11 fig12
dynamic_ngrams_FIGURES := fig13 fig14 fig15
priority_sort_FIGURES := fig16 fig17 fig18
FIGURES := $(foreach task,$(TASK_NAMES),$($(task)_FIGURES))

.PHONY: help setup train reproduce collect figures tables $(FIGURES) beyond failures reliability recipes seeds report test test-slow faults fuzz soak licences coverage lint bench tensorboard clean

help: ## list the targets
	@grep -hE '^[$$()A-Za-z-]+:.*##' $(MAKEFILE_LIST) \
		| sed -E 's/:.*## /\t/; s/^\$$\(FIGURES\)/$(firstword $(FIGURES))-$(lastword $(FIGURES))/' | expand -t 16

setup: .venv/.ready ## set up .venv (PYTHON=python3.12, TORCH_INDEX=<wheel index of yours> for another build of torch)

train: setup ## train the NTM on copy until it is solved, then test it on longer sequences
	$(BIN)/ntm-train recipe=stable task=copy model=ntm run_dir=results/runs/first
	$(BIN)/ntm-eval run=results/runs/first

reproduce: setup ## train the runs that results/paper does not hold finished (JOBS=2 SEEDS="1 2 3" TASKS=… MODELS=… RECIPE=stable)
	@runs=$$($(UNFINISHED)) || exit; \
	[ -z "$$runs" ] || $(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) $$(printf 'results/runs/%s/. ' $$runs); \
	$(BIN)/python scripts/collect.py recipe=$(RECIPE) && left=$$($(UNFINISHED)) || exit; \
	[ -z "$$left" ] || { printf 'not finished: %s (the same command goes on)\n' $$left; exit 1; }

UNFINISHED = $(BIN)/python scripts/unfinished.py recipe=$(RECIPE) "$(TASKS)" "$(MODELS)" "$(SEEDS)"

# One run: task/model/seed<k>, after the recipe's name unless it is the paper's. What it says on the terminal goes beside
# its folder.
results/runs/%/.: pair = $(subst /, ,$(patsubst $(RECIPE)/%,%,$*))
results/runs/%/.: FORCE
	@mkdir -p $(dir results/runs/$*) && echo "$*: begins" && { \
	$(BIN)/ntm-train recipe=$(RECIPE) task=$(word 1,$(pair)) model=$(word 2,$(pair)) seed=$(subst seed,,$(word 3,$(pair))) threads=1 && \
	$(BIN)/ntm-eval run=results/runs/$* && $(BIN)/ntm-eval run=results/runs/$* grid=beyond; } > results/runs/$*.out 2>&1; \
	code=$$?; echo "$*: $$(grep -v '^ ' results/runs/$*.out | tail -n 1)"; exit $$code

FORCE:

collect: setup ## move live runs of the paper's pairs, finished or not, into results/paper (RECIPE=stable: its own)
	$(BIN)/python scripts/collect.py recipe=$(RECIPE)

test: .venv/.ready-dev ## run the tests (under 6 minutes on two cores)
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=15 -m "not slow"

test-slow: .venv/.ready-dev ## run the tests that take minutes each
	$(BIN)/python -m pytest -n 2 --durations=15 -m slow

faults: .venv/.ready-dev ## kill, fill up, cut, flip, suspend and race runs, and check that nothing is lost (some 20 minutes)
	$(BIN)/python -m pytest -n 0 -m slow tests/faults --faults-table results/faults/faults.md

soak: .venv/.ready-dev ## train a million sequences of every task, some at ten times the rate, and check all numbers (half an hour)
	$(BIN)/python -m pytest -n 0 -m slow tests/soak -rP

fuzz: .venv/.ready-dev ## hundreds of odd command lines, paths and files, each of which must be done or refused
	$(BIN)/python -m pytest -n 0 -m slow tests/cli/test_fuzz.py tests/cli/test_fuzz_files.py

licences: .venv/.ready-dev ## list the licences of all that is installed, in docs/licences.md
	$(BIN)/python scripts/list_licences.py
	$(BIN)/python -m pip check

coverage: .venv/.ready-dev ## run the tests and say which lines of src they reach
	rm -f .coverage*
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-report=term-missing:skip-covered

lint: .venv/.ready-dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(FIGURES): setup ## draw a figure of the paper from the recorded runs (TRAIN=1: run first what is missing)
	$(if $(TRAIN),$(MAKE) reproduce TASKS=$(strip $(foreach task,$(TASK_NAMES),$(if $(filter $@,$($(task)_FIGURES)),$(task)))))
	$(BIN)/ntm-figures $@

beyond: setup ## draw what the models do on sequences beyond the paper's
	$(BIN)/ntm-figures $@

failures: setup ## draw what failures of training look like in a record
	$(BIN)/ntm-figures $@

reliability: setup ## draw how many seeds learn each task, recipe by recipe
	$(BIN)/ntm-figures $@

recipes: setup ## draw how many seeds learn with the recipes that others use
	$(BIN)/ntm-figures $@

seeds: setup ## draw the learning curve of every seed, with the paper's recipe and with the stable one
	$(BIN)/ntm-figures $@

figures: setup ## draw all of them (TRAIN=1 likewise)
	$(if $(TRAIN),$(MAKE) reproduce)
	$(BIN)/ntm-figures all

tables: setup ## write the tables beside the paper's, as Markdown and CSV, and the results in README.md and docs
	$(BIN)/ntm-figures tables
	$(BIN)/python scripts/write_readme.py

report: setup ## write the page that judges the reproduction and shows the memory at work, results/report/index.html
	$(BIN)/ntm-report

bench: .venv/.ready-dev ## measure the speed of training beside its peers, in some 20 minutes, into results/bench
	$(BIN)/ntm-bench

tensorboard: setup ## watch the runs in TensorBoard
	$(BIN)/tensorboard --logdir results/runs

clean: ## remove the environment and caches, but no results
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache .mypy_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; name one, as in make setup PYTHON=python3.12" >&2; exit 2; }
	@echo "installing torch and the rest into .venv, which takes some minutes"
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP) torch --index-url $(TORCH_INDEX))
	$(PIP) --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready
	@echo "installing what the tests need into .venv"
	$(PIP) --editable '.[dev]'
	@touch $@
