# make run           install what is missing, then restore live (or play the demo where there is no screen or sound)
# make test          install what is missing, then check style, types and layers and run every test
# make setup         install what `make run` needs into .venv
# make translations  write the template of all sentences, and bring every translation in line with it
# make lock          write the versions now in .venv into constraints.txt

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)

# What no wheel brings: venv itself, PortAudio and its way to the sound server, what Qt draws with, and a compiler for
# two of the judges of `evaluate`. For the tests: a sound server and a screen of their own, and a browser.
SYSTEM_PACKAGES := python3-venv libportaudio2 libasound2-plugins libpulse0 gcc g++ python3-dev \
    libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-randr0 \
    libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 fonts-dejavu-core
TEST_PACKAGES := pulseaudio pulseaudio-utils chromium xvfb

# $(call install,PACKAGES) installs those missing, never at the price of others (PipeWire's and PulseAudio's conflict).
# What cannot be installed is named, and the set-up goes on with what is there.
define install
@missing=$$(for package in $(1); do \
    dpkg-query --show --showformat='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' \
    || echo $$package; done); \
if [ -n "$$missing" ]; then \
    echo "Installing system packages:" $$missing; \
    { $(AS_ROOT) apt-get update -q \
    && $(AS_ROOT) apt-get install -qy --no-install-recommends --no-remove $$missing; } \
    || echo "Could not install system packages; please ask for:" $$missing >&2; fi
endef

.PHONY: run test lint setup lock translations
.DELETE_ON_ERROR:

run: setup
	$(BIN)/python main.py

test: .venv/for-tests lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m 'not live' --numprocesses auto --maxprocesses 4 --dist loadfile
	$(BIN)/python -m pytest -m live

lint: .venv/for-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: .venv/for-running

lock:
	$(PIP) freeze --all --exclude pip --exclude-editable | sed 's/^\(torch==[^+]*\)+.*/\1/' > constraints.txt

translations: .venv/for-tests
	mkdir -p $@
	$(BIN)/pybabel extract --mapping-file babel.cfg --output-file $@/masksr-live.pot .
	for language in $(basename $(notdir $(wildcard translations/*.po))); do \
	    $(BIN)/pybabel update --locale $$language --input-file $@/masksr-live.pot --output-file $@/$$language.po \
	    && $(BIN)/pybabel compile --locale $$language --input-file $@/$$language.po --output-file $@/$$language.mo \
	    || exit; done

.venv/for-tests: .venv/for-running
	$(call install,$(TEST_PACKAGES))
	$(PIP) install --constraint constraints.txt --editable '.[evaluate,train,dev]'
	$(PIP) check
	touch $@

.venv/for-running: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(BIN)/python:
	$(call install,$(SYSTEM_PACKAGES))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) \
	    and "Python 3.11 or newer is needed; name one, for example: make run PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
