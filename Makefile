# Everything that one does here, each command doing its own set-up. Needs Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help test test-slow demo bench compare limits lock fmt clean

help:  ## this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-11s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: .venv/ready  ## lint, format, types, import contracts, tests; stops at the first failure
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format -q --check || { echo "run: make fmt" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/basedpyright 2>&1) || { echo "$$report" >&2; exit 1; }
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report" >&2; exit 1; }
	@report=$$($(BIN)/lint-imports --no-logo --config apps/tenk/pyproject.toml 2>&1) || { echo "$$report" >&2; exit 1; }
	@$(BIN)/pytest -q -n auto --dist loadfile --max-worker-restart 2  # a file's tests share what it has set up, so they stay together

test-slow: .venv/ready  ## the tests marked slow
	@$(BIN)/pytest -q -m slow || { code=$$?; test $$code -eq 5 && echo "There are no slow tests yet: nothing was run."; }

demo: .venv/ready  ## analyse a bundled 10-K: call by call, then all at once, live; no key, no network
	@$(BIN)/python examples/demo.py

bench: .venv/ready  ## our own figures, on this machine
	@$(BIN)/python benchmarks/run.py

compare: .venv/ready  ## beside nine peers, each in an environment of its own; ARGS=--quick for a look
	@$(BIN)/python benchmarks/compare.py $(ARGS)

limits: .venv/ready  ## limits that are learnt, beside peers, over HTTP; ARGS=--quick for a look
	@$(BIN)/python benchmarks/limits.py $(ARGS)

fmt: .venv/ready  ## format, and mend what the linter can
	@$(BIN)/ruff check -q --fix --exit-zero
	@$(BIN)/ruff format -q

COMPILE = $(BIN)/uv pip compile -q --universal --generate-hashes --no-header $(ARGS)
lock: .venv/bin/uv  ## write the locks from both pyproject.toml, keeping pins; ARGS=--upgrade for newer ones
	@echo uv | $(COMPILE) --python-version 3.11 -o bootstrap.lock -
	@$(COMPILE) --extra cli --extra serve --group dev --no-emit-package ingather -o requirements.lock pyproject.toml apps/tenk/pyproject.toml

clean:  ## remove the environment and all that was generated
	@rm -rf .venv dist build .benchmarks .hypothesis .*_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The environment in two steps, so that a change of pyproject.toml does not make it anew. uv comes out of its own lock
# and is part of the environment: nothing is asked of the machine.
.venv/bin/uv: bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ingather needs Python 3.11 or newer, this is %s. Name another: make PYTHON=python3.12" % sys.version.split()[0])'
	@echo "Setting up .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r bootstrap.lock
	@touch $@

.venv/ready: .venv/bin/uv requirements.lock pyproject.toml apps/tenk/pyproject.toml
	@$(BIN)/uv pip sync -q --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation --python $(BIN)/python -e . -e apps/tenk
	@touch $@
