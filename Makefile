# Two commands matter: `make consult` and `make test`. Both set up what they need, show progress
# on standard error, and do nothing twice.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev weights consult serve test test-slow lint types check lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# An operator with a GPU says `make consult FAISS=gpu`.
FAISS ?= cpu
# torch is named first and pinned on the line: otherwise pip may take a build with several GB of
# CUDA libraries.
TORCH := torch==2.13.0
INSTALL = $(BIN)/pip install --disable-pip-version-check $(TORCH) -c requirements.lock

help:
	@echo "make consult   set everything up and open a consultation in the terminal"
	@echo "make test      set everything up and run all checks and tests"
	@echo "make serve     set everything up and serve the HTTP API"
	@echo "make lint, make types, make check   the parts of make test that need no weights"
	@echo "make test-slow the tests that take long"
	@echo "make lock      write requirements.lock anew from pyproject.toml"

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say make PYTHON=/path/to/python3.11")'
	@echo "making the virtual environment $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV) >&2

$(VENV)/.ready: $(BIN)/pip pyproject.toml requirements.lock
	@echo "installing the service (a few minutes the first time)" >&2
	@$(INSTALL) -e ".[$(FAISS)]" >&2
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@echo "installing what the tests need" >&2
	@$(INSTALL) -e ".[dev]" >&2
	@touch $@

setup: $(VENV)/.ready
setup-dev: $(VENV)/.ready-dev

# Imported conditions are an extra: when they cannot be had it says so and goes on without them.
weights: setup
	@$(BIN)/huatuo model fetch
	@$(BIN)/huatuo knowledge import cmekg --optional

consult: weights
	@$(BIN)/huatuo consult $(ARGS)

serve: weights
	@$(BIN)/huatuo serve $(ARGS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/mypy

check: lint types
	$(BIN)/huatuo knowledge check

test: check
	@$(BIN)/huatuo model fetch --tests
	@$(BIN)/huatuo knowledge import cmekg --optional
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow and not gpu"

test-slow: setup-dev
	@$(BIN)/huatuo model fetch --tests
	$(BIN)/pytest -m "slow"

lock:
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/pip install -q $(TORCH) -e ".[dev]"
	.lock/bin/pip freeze --exclude-editable | grep -v '^-e ' | sed 's/^torch==.*/$(TORCH)/' > requirements.lock
	rm -rf .lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
