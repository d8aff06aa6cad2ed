# Everything runs in .venv, which each target sets up as far as it needs. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# A Python 3.11–3.13 to build the environment with, and optionally a wheel index for a CPU or CUDA build of torch.
PYTHON ?= python3
TORCH_INDEX ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The paper's figures, and the task that each is about.
copy_FIGURES := fig03 fig04 fig05 fig06
repeat_copy_FIGURES := fig07 fig08 fig09
associative_recall_FIGURES := fig10 fig11 fig12
dynamic_ngrams_FIGURES := fig13 fig14 fig15
priority_sort_FIGURES := fig16 fig17 fig18
TASK_NAMES := copy repeat_copy associative_recall dynamic_ngrams priority_sort
FIGURES := $(foreach task,$(TASK_NAMES),$($(task)_FIGURES))

.PHONY: help setup train test test-slow coverage lint figures tables $(FIGURES) bench tensorboard clean

help: ## list the targets
	@grep -hE '^[$$()A-Za-z-]+:.*##' $(MAKEFILE_LIST) \
		| sed -E 's/:.*## /\t/; s/^\$$\(FIGURES\)/$(firstword $(FIGURES))-$(lastword $(FIGURES))/' | expand -t 16

setup: .venv/.ready ## set up .venv (PYTHON=python3.12, TORCH_INDEX=<wheel index of yours> for another build of torch)

train: setup ## train the NTM on copy until it is solved, then test it on longer sequences
	$(BIN)/ntm-train task=copy model=ntm train.sequences=30000 run_dir=results/runs/first
	$(BIN)/ntm-eval run=results/runs/first

test: .venv/.ready-dev ## run the tests (under 6 minutes on two cores)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-slow: .venv/.ready-dev ## run the tests that take minutes each
	$(BIN)/python -m pytest -n 2 -m slow

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

figures: setup ## draw all of them (TRAIN=1 likewise)
	$(if $(TRAIN),$(MAKE) reproduce)
	$(BIN)/ntm-figures all

tables: setup ## write the tables beside the paper's, as Markdown and CSV
	$(BIN)/ntm-figures tables

bench: setup ## measure the speed of training, in under 15 minutes, into results/bench
	$(BIN)/ntm-bench

tensorboard: setup ## watch the runs in TensorBoard
	$(BIN)/tensorboard --logdir results/runs

clean: ## remove the environment and caches, but no results
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache .mypy_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; name one, as in make setup PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP) torch --index-url $(TORCH_INDEX))
	$(PIP) --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready
	$(PIP) --editable '.[dev]'
	@touch $@
