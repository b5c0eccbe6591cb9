# The newcomer's commands; `make` alone lists them. PYTHON may name another interpreter: make test PYTHON=/path/to/python3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.loadstone-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.DEFAULT_GOAL := help
.PHONY: help install install-test demo steelworks test lint types bench bench-all bench-forecast bench-forecast-all bench-metering docs soak clean

help:
	@echo "Loadstone. Start with 'make demo'; then README.md, 'Your own plant'."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Loadstone and what it needs, into .venv/
install-test: $(STAMP)-test ## the same, with what the tests need

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(0 if ok else "Loadstone needs Python 3.11, 3.12 or 3.13; this is %d.%d. Name another: make PYTHON=/path/to/python3.13" % sys.version_info[:2])'
	@test -e $(STAMP) || test -e $(STAMP)-test || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(STAMP)-test: requirements-test.lock pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(0 if ok else "Loadstone needs Python 3.11, 3.12 or 3.13; this is %d.%d. Name another: make PYTHON=/path/to/python3.13" % sys.version_info[:2])'
	@test -e $(STAMP) || test -e $(STAMP)-test || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@ $(STAMP)

demo: install ## a living simulated factory; HEADLESS=1 for one cycle and a summary
	$(BIN)/loadstone demo $(if $(HEADLESS),--headless,)

steelworks: install ## the example on real data; needs LOADSTONE_DATA
	$(BIN)/python examples/steelworks/run.py

test: install-test ## everything that has to hold; PYTHON=/path/to/python3.13 for another Python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadscope

bench: install-test ## how good and how fast the optimizer and the metering are: a fixed sample, at most 20 minutes; needs LOADSTONE_DATA
	$(BIN)/python -m benchmarks

bench-all: install-test ## the whole of it, about three hours; goes on where it was stopped
	$(BIN)/python -m benchmarks --all

bench-forecast: install-test ## how good the forecasts are: a fixed sample of days, at most 20 minutes; needs LOADSTONE_DATA
	$(BIN)/python -m benchmarks.forecast

bench-forecast-all: install-test ## every day of every series; goes on where it was stopped
	$(BIN)/python -m benchmarks.forecast --all

bench-metering: install-test ## how fast and how right the metering is, in one table; half an hour on an idle machine
	$(BIN)/python -m benchmarks.metering

soak: install-test ## kill the running service, and edge box and door, a hundred times each; about twelve minutes
	LOADSTONE_KILLS=100 $(BIN)/python -m pytest tests/service/test_kill.py tests/service/test_kill_edge.py -s -p no:xdist

lint: install-test ## mend what can be mended by itself, and format
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: install-test ## the type checker alone
	$(BIN)/mypy

docs: install-test ## make the pages anew that are made from the code
	$(BIN)/python -m energy.config.reference docs/config.md
	$(BIN)/python -m energy.commands.reference docs/cli.md
	$(BIN)/python -m energy.exchange.schema docs
	$(BIN)/python -m energy.api.reference docs/api.md

clean: ## remove .venv/ and what builds leave
	rm -rf $(VENV) build *.egg-info
