# The targets that a newcomer, a developer and CI use. `make` alone prints them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready

# Tests that hear real audio or watch the clock of others: they mostly wait, so three at a time on two cores.
# The longest first and in this order, so that no worker has one left when the others are done.
AUDIBLE := tests/e2e tests/audio tests/demo tests/doors tests/media tests/phones tests/selftest

PIN := uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench mutants fuzz lint types lock clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything pinned (no root needed)

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $(STAMP)

run: setup ## run the demo: a floor full of calls, and a file of curl lines to whisper into one
	$(BIN)/sottovoce demo

test: setup ## run all tests (those that want a missing Debian package are skipped and say so)
ifdef PYTEST_ARGS
	$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	$(BIN)/python -m pytest -n auto --dist loadfile $(addprefix --ignore=,$(AUDIBLE))
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(AUDIBLE)
endif

check: lint types test ## what CI runs: lint, types, tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup ## measure CPU, ticks, command to ear, API rates; writes docs/benchmarks.md
	$(BIN)/python -m tests.bench

mutants: setup ## try hundreds of small changes of the pure modules; prints those that no test noticed
	$(BIN)/python -m tests.mutants $(MUTANTS_ARGS)

fuzz: setup ## throw a million damaged inputs at SIP, RTP, RTCP, HTTP and the control protocol, on this machine
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

lock: ## pin the dependencies anew, with hashes (needs uv)
	$(PIN) --upgrade --extra dev pyproject.toml -o requirements/dev.txt
	$(PIN) --constraint requirements/dev.txt pyproject.toml -o requirements/run.txt

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
