# make run    install what is missing, then restore live (or play the demo where there is no screen or sound)
# make test   install what is missing, then check style, types and layers and run every test
# make setup  install what `make run` needs into .venv
# make lock   write the versions now in .venv into constraints.txt

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)

# What no wheel brings: venv itself, PortAudio, and a compiler for two of the judges of `evaluate`.
SYSTEM_PACKAGES := python3-venv libportaudio2 gcc g++ python3-dev

.PHONY: run test lint setup lock
.DELETE_ON_ERROR:

run: setup
	$(BIN)/python main.py

test: .venv/for-tests lint
	$(BIN)/python -m pytest

lint: .venv/for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: .venv/for-running

lock:
	$(PIP) freeze --all --exclude pip --exclude-editable | sed 's/^\(torch==[^+]*\)+.*/\1/' > constraints.txt

.venv/for-tests: .venv/for-running
	$(PIP) install --constraint constraints.txt --editable '.[evaluate,train,dev]'
	$(PIP) check
	touch $@

.venv/for-running: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

# System packages that cannot be installed are named, and the set-up goes on with what is there.
$(BIN)/python:
	@missing=$$(for package in $(SYSTEM_PACKAGES); do \
	    dpkg-query --show --showformat='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' \
	    || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	    echo "Installing system packages:" $$missing; \
	    { $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -qy --no-install-recommends $$missing; } \
	    || echo "Could not install system packages; please ask for:" $$missing >&2; fi
	$(PYTHON) -m venv .venv
