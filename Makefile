# `make` lists the targets. Each one sets up what it needs first (scripts/bootstrap.py: seconds when
# nothing changed). pre-commit and CI call these same targets.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
ARGS ?=
SHARD ?=

# pyright would ask the network whether it is the newest; the version is pinned in constraints.txt.
export PYRIGHT_PYTHON_IGNORE_WARNINGS = 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-absent test-pythons test-oldest compat faults bench screenshots check format lint types contracts native fix clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Make or update .venv; build the native extension where cargo works.
	@$(PYTHON) scripts/bootstrap.py

demo: setup ## Run the server and the example shop, show what was captured (DEMO_ONCE=1: end by itself).
	@$(VENV_PYTHON) -m examples.shop.demo $(ARGS)

test: setup ## Run the whole suite; one part of it: make test ARGS="tests/core -k scope".
	@$(VENV_PYTHON) -m pytest $(or $(ARGS),--numprocesses=2 --dist=loadgroup)
	@$(VENV_PYTHON) scripts/native.py test

test-absent: setup ## Run the suite once more as where there is no native wheel.
	@$(VENV_PYTHON) scripts/suites.py absent $(ARGS)

test-pythons: setup ## Run the masking suite on every other CPython at hand, with the one wheel.
	@$(VENV_PYTHON) scripts/suites.py pythons $(ARGS)

faults: setup ## Play every cell of the fault matrix, a quarter of an hour; a part of it: make faults SHARD=2/4.
	@FAULTS=all SHARD=$(SHARD) $(VENV_PYTHON) -m pytest tests/faults $(ARGS)

test-oldest: setup ## Run the adapters' suites with the oldest supported framework; one of them: ARGS=flask.
	@$(VENV_PYTHON) scripts/oldest.py $(ARGS)

compat: setup ## Run the frameworks' own suites with our adapter around every app, 20 minutes; one: ARGS=flask.
	@$(VENV_PYTHON) scripts/compat.py $(ARGS)

bench: setup ## Run the benchmarks; one of them: make bench ARGS=capture.
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

screenshots: setup ## Take the pictures of docs/images from the demo (needs Chromium).
	@$(VENV_PYTHON) scripts/screenshots.py

check: format lint types contracts native ## Everything below down to `native`: what CI and pre-commit run.

format: setup ## Is everything formatted?
	@$(VENV_PYTHON) -m ruff format --check --quiet .

lint: setup ## ruff, nearly all rules.
	@$(VENV_PYTHON) -m ruff check --quiet .

types: setup ## mypy strict; completeness of the public types.
	@$(VENV_PYTHON) -m mypy
	@$(VENV_PYTHON) scripts/public_types.py

contracts: setup ## Who may import whom.
	@$(VENV_PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-logo

native: setup ## rustfmt and clippy over native/, where cargo works.
	@$(VENV_PYTHON) scripts/native.py lint

fix: setup ## Format, and mend what ruff can mend by itself.
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

clean: ## Remove .venv and everything that was built or cached.
	rm -rf .venv .pythons .compat .demo native/target .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf packages/*/dist packages/*/build native/python/replaystack_native/*.so
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
