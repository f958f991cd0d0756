# Offsetscope: `make run` and open the address it prints. `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
DEFINITION := pyproject.toml package.json package-lock.json hatch_build.py
HTMX := static/vendor/htmx/htmx.min.js
UPLOT := static/vendor/uplot/uPlot.iife.min.js

# A vendor folder emptied by hand, or an environment whose Python has gone, is made again though no stamp is out of date.
ifneq ($(shell test -f $(HTMX) && test -f $(UPLOT) && test -x $(BIN)/python && test -x $(BIN)/offsetscope && echo whole),whole)
AGAIN := again
endif

.PHONY: help run test check format simulate bench screenshots clean again

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.installed-to-run ## serve the page: HOST=127.0.0.1 PORT=8000 DATA_DIR=folder OPEN=1 (opens a browser)
	@exec $(BIN)/offsetscope serve $(if $(HOST),--host '$(HOST)') $(if $(PORT),--port '$(PORT)') \
		$(if $(DATA_DIR),--data-dir '$(DATA_DIR)') $(if $(filter 1 yes true,$(OPEN)),--open)

test: $(VENV)/.installed-to-develop ## all tests, those in a browser too: ARGS="-k name"
	@OFFSETSCOPE_CHROMIUM="$$($(BIN)/python -m tests.support.chromium --install)" || exit 1; \
		export OFFSETSCOPE_CHROMIUM; exec $(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

check: $(VENV)/.installed-to-develop ## style, types and layers: ruff, import-linter, mypy and, where npm is, the JavaScript
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then $(MAKE) --silent --no-print-directory node_modules/.installed && npm run --silent check; \
		else echo 'npm is not on PATH: the types of the JavaScript were not checked'; fi

format: $(VENV)/.installed-to-develop ## let ruff write what `check` asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(VENV)/.installed-to-run ## whole clusters under random failures: SEEDS=200, FIRST=1 (a failing seed says how to replay it)
	@exec $(BIN)/python -m engine.simulation --seeds '$(or $(SEEDS),200)' --first '$(or $(FIRST),1)'

bench: $(VENV)/.installed-to-bench ## measure the log beside other stores: ARGS="append --rounds 21", BIG=1
	BIG='$(BIG)' $(BIN)/python -m benchmarks $(ARGS)

screenshots: $(VENV)/.installed-to-develop ## every state of the stage, in every size and theme, into ./screenshots: ARGS="--state behind"
	@OFFSETSCOPE_CHROMIUM="$$($(BIN)/python -m tests.support.chromium --install)" || exit 1; \
		export OFFSETSCOPE_CHROMIUM; exec $(BIN)/python -m docs.screenshots $(ARGS)

clean: ## remove what these targets made (not your data folder)
	rm -rf $(VENV) node_modules static/vendor build dist screenshots test-results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment, made once and made anew when what defines it changes ------------------------------------------

$(VENV)/bin/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo 'Offsetscope needs Python 3.11 or newer; say which with make PYTHON=/path/to/python3' >&2; exit 2; fi; \
	if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$found cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; fi; \
	echo "Making $(VENV) with $$($$found --version)"; rm -rf $(VENV); $$found -m venv $(VENV)

$(VENV)/.installed-to-run: $(DEFINITION) $(AGAIN) | $(VENV)/bin/python
	@echo 'Installing Offsetscope (once; about half a minute)'
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-to-develop: $(DEFINITION) $(AGAIN) | $(VENV)/bin/python
	@echo 'Installing Offsetscope and its development tools (once; about half a minute)'
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.installed-to-run $@

$(VENV)/.installed-to-bench: $(DEFINITION) $(AGAIN) | $(VENV)/bin/python
	@echo 'Installing Offsetscope and the stores it is measured beside (once; about half a minute)'
	@$(PIP) install --editable '.[bench]'
	@touch $(VENV)/.installed-to-run $@

node_modules/.installed: package.json package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@
