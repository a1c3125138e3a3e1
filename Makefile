# `make demo` and `make test` need nothing but Python 3.11 or newer and a package registry.

PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)
PACK ?= premium_year
CHAIN ?= premium_chain
OUT ?= runs/demo
BIN := .venv/bin
# Python compiles the modules that are used at their first import: half the time of compiling all of them here.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint format bench clean

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Apportion needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | .venv/bin/python
	$(INSTALL) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml | .venv/bin/python
	$(INSTALL) --editable '.[dev]'
	@touch $@ .venv/.installed

.venv/.installed-bench: pyproject.toml | .venv/bin/python
	$(INSTALL) --editable '.[bench]'
	@touch $@ .venv/.installed

demo: .venv/.installed ## Solve the main packs and say where the answers are
	$(BIN)/apportion solve scenarios/examples/$(PACK)/plan.yaml -o $(OUT)
	@echo
	@echo "Now the same year with marketing, stages, customers, open seats and initiatives, proved on response curves:"
	@echo
	$(BIN)/apportion solve scenarios/examples/$(CHAIN)/plan.yaml -o $(OUT)_chain
	@echo
	@echo "The plans were $(PACK) and $(CHAIN) in scenarios/examples; their answers are in $(OUT) and $(OUT)_chain:"
	@echo "  run.xlsx                every table, for a spreadsheet"
	@echo "  summary.json            status, proof, versions and timings, for a program"
	@echo "  tables/assumptions.csv  each number that was not given, and what it weighs"
	@echo "  tables/activity_targets.csv  in $(OUT)_chain: leads, contacts and quotes that each seller needs, a week"
	@echo "What changes when premium quotes convert less: $(BIN)/apportion sweep scenarios/examples/$(CHAIN) scenarios/examples/$(CHAIN)/scenarios -o runs/weak"
	@echo "Start a plan of your own: $(BIN)/apportion new $(PACK) my_plan"

# A file stays with one worker, so that what its tests share is made once.
test: .venv/.installed-dev ## Run the tests, without the slow ones
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not slow"

test-slow: .venv/.installed-dev ## Run the slow tests
	@# pytest ends with 5 when no test is marked slow.
	$(BIN)/pytest -q -n 2 --dist loadfile -m slow || test $$? -eq 5

lint: .venv/.installed-dev ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.installed-dev ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-bench ## Measure seconds and memory by phase
	$(BIN)/python -m benchmarks.plan_models

clean: ## Remove the virtual environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
