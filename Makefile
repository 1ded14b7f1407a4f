# Everything here sets up what it needs; the first call takes about a minute, the next ones none.
#
# The environment is made from requirements*.lock, which carry hashes and name no index: what the
# relay needs, what building its wheel needs, and all that the tests need.

SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# The tests that start servers are one worker's business, see tests/workers.py. They and the audit's
# take longest, and come first: in the order of their folders.
TOGETHER := --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

# Tests start hundreds of processes: each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: setup
setup:  ## the environment to run the relay
	@.ci/environment .venv/.ready-to-run requirements.lock requirements-build.lock

.PHONY: setup-dev
setup-dev:  ## the environment to test the relay
	@.ci/environment .venv/.ready-to-test requirements-dev.lock

.PHONY: demo
demo: setup  ## the whole story on this machine, in about a minute
	$(BIN)/relay demo

.PHONY: lint
lint: setup-dev  ## format, lint, import contracts, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.PHONY: unit
unit: export HYPOTHESIS_PROFILE := $(or $(HYPOTHESIS_PROFILE),quick)
unit: setup-dev  ## the unit tests alone, in seconds
	$(PYTEST) $(TOGETHER) tests/unit

.PHONY: test
test: setup-dev  ## lint, types, import contracts and all tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint tools
	$(PYTEST) $(TOGETHER)

# Some tests need programs that pip does not bring; without them they are skipped and say so.
.PHONY: tools
tools: setup-dev
	@command -v strace >/dev/null || .ci/system-package strace || true
	@.ci/servers

.PHONY: servers
servers: tools  ## a Kafka and a PostgreSQL to try the relay on, until Ctrl-C
	@$(BIN)/python -m tests.servers

.PHONY: bench
bench: setup-dev  ## speed, beside a bare handler on the same machine (ARGS=--quick)
	$(BIN)/python -m tests.bench $(ARGS)

.PHONY: soak
soak: setup-dev tools  ## the long tests: kill -9 a thousand times, in about an hour
	$(PYTEST) -m soak

.PHONY: schemas
schemas: setup-dev  ## write schemas/ from the models
	$(BIN)/python -m relay.contracts schemas

.PHONY: chart
chart: schemas  ## write what is generated of the chart: schema, README, dashboard
	$(BIN)/python -m tests.watch
	$(BIN)/python -m relay.contracts chart helm/relay

.PHONY: format
format: setup-dev  ## format, and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One resolution for every Python from 3.11 and every platform; needs uv (https://docs.astral.sh/uv).
UV := uv
LOCK := $(UV) pip compile $(LOCK_FLAGS) --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: lock
lock:  ## resolve the dependencies anew (LOCK_FLAGS=--upgrade for newer ones)
	$(LOCK) pyproject.toml --extra traces --output-file requirements.lock
	$(LOCK) --group build --constraints requirements.lock --output-file requirements-build.lock
	$(LOCK) pyproject.toml --extra traces --group build --group dev --constraints requirements.lock \
		--constraints requirements-build.lock --output-file requirements-dev.lock

.PHONY: clean
clean:  ## remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find relay tests -name __pycache__ -type d -prune -exec rm -rf {} +
