# The newcomer's commands. PYTHON may name another interpreter: make test PYTHON=/path/to/python3.13
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.loadstone-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.PHONY: install install-test demo test soak lint types bench clean

install: $(STAMP)
install-test: $(STAMP)-test

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

demo: install
	$(BIN)/loadstone demo $(if $(HEADLESS),--headless,)

test: install-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadscope

soak: install-test
	LOADSTONE_KILLS=100 $(BIN)/python -m pytest tests/service/test_kill.py -s -p no:xdist

lint: install-test
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: install-test
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build *.egg-info
