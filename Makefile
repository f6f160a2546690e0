# Each target says what it does; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps
PORT ?= 8080
NAMES ?=

.DEFAULT_GOAL := help
.PHONY: help run test bench check format lock schemas clean

help: ## This list.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

run: $(VENV)/ready ## The whole portal on this machine, with demo data. Ctrl-C stops it.
	@$(BIN)/carespace up --demo --port $(PORT)

test: $(VENV)/ready-dev ## Every test. Servers run in containers where Docker has our images, else from the packages.
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --max-worker-restart 0

bench: $(VENV)/ready ## What is promised of speed, measured on this machine. One of it: make bench NAMES=health
	@$(BIN)/python -m bench $(NAMES)

check: $(VENV)/ready-dev ## Format, lint, types, import contracts.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready-dev ## Put the code into its format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## Pin the newest libraries. Needs uv.
	for file in requirements requirements-dev; do \
	  uv pip compile --generate-hashes --no-emit-index-url --no-header -q --upgrade $$file.in -o $$file.lock || exit 1; done

schemas: $(VENV)/ready-dev ## Write down the contracts' shapes and docs/parts.md anew, after a deliberate change.
	CARESPACE_WRITE_SCHEMAS=1 $(BIN)/python -m pytest -q tests/contracts

clean: ## Remove the virtual environment, not the data.
	rm -rf $(VENV)

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "CareSpace needs Python 3.11 or newer as $(PYTHON). Try: make PYTHON=python3.11 run"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python lacks what makes virtual environments: install python3-venv."; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/ready: $(VENV)/made requirements.lock pyproject.toml gateway/fonts.py
	@echo "Installing the libraries that CareSpace runs on."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-build-isolation -e .
	@$(BIN)/python -m gateway.fonts
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.lock
	@echo "Installing the libraries that its tests need."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
