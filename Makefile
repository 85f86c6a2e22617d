# Everything a person or a CI runs. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-fast lint bench torture screenshots lock clean
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Test modules are kept compiled, whatever the shell says: each of the processes would compile all of them again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(ARGS)
# Two processes, each with a database of its own. What measures time, memory or kills ("alone") runs by itself.
SPREAD := --numprocesses 2 --dist worksteal
RUNTIME := .venv/.runtime-stamp
STAMP := .venv/.dev-stamp

help:  ## list all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv with everything that running, testing and developing need

demo: $(RUNTIME)  ## a fictional school at http://127.0.0.1:8000, made on the first start (CASEWARD_BIND: elsewhere)
	@export CASEWARD_INSTANCE=instance/demo; \
	if [ -e instance/demo/caseward.db ]; then $(BIN)/flask demo --show; else $(BIN)/flask demo; fi && \
	exec $(BIN)/python app.py

run: $(RUNTIME)  ## the real school, in instance/ (settings: docs/operations.md)
	@exec $(BIN)/python app.py

test: $(STAMP)  ## lint, then all tests: on SQLite, on PostgreSQL and in a browser (installs those two if it can)
	@$(BIN)/python -m tests.services ensure
	@failed=; \
	heading() { printf '\n=== %s ===\n' "$$1"; }; \
	heading "Lint"; $(BIN)/ruff check . || failed="$$failed lint,"; \
	for database in sqlite postgres; do export CASEWARD_TEST_DATABASE=$$database; \
	  heading "Tests on $$database"; \
	  $(PYTEST) $(SPREAD) -m "(torture or not browser) and not alone" || failed="$$failed $$database,"; \
	  heading "Time, memory and kills on $$database"; $(PYTEST) -m alone || failed="$$failed alone on $$database,"; \
	done; \
	heading "Tests in a browser"; CASEWARD_TEST_DATABASE=sqlite $(PYTEST) $(SPREAD) -m "browser and not torture" || failed="$$failed browser,"; \
	if [ -n "$$failed" ]; then printf '\nFailed: %s\n' "$${failed%,}"; exit 1; fi

test-fast: $(STAMP)  ## the quick tests, on SQLite only (ARGS="-k assign" for some of them)
	@$(PYTEST) -q $(SPREAD) -m "not browser and not torture and not slow"

lint: $(STAMP)  ## look for mistakes and untidiness in the code
	@$(BIN)/ruff check .

bench: $(STAMP)  ## measure the real server with 100,000 incidents
	@$(BIN)/python -m benchmarks

torture: $(STAMP)  ## the full counts of kills, outages and races, written to docs/trust-figures.md (takes hours)
	@$(BIN)/python -m tests.services ensure
	@CASEWARD_TORTURE=full CASEWARD_TEST_DATABASE=sqlite $(PYTEST) -m torture
	@CASEWARD_TORTURE=full CASEWARD_TEST_DATABASE=postgres $(PYTEST) -m torture

screenshots: $(STAMP)  ## pictures of every main page into docs/screenshots
	@$(BIN)/python -m tests.services ensure
	@$(BIN)/python -m tests.screenshots

# Hashes of every file of each release, for all systems and Pythons, so that one lock serves everybody.
LOCK := env -u UV_DEFAULT_INDEX -u UV_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	$(BIN)/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--upgrade --custom-compile-command "make lock"

lock: $(STAMP)  ## lock the newest versions that pyproject.toml admits into requirements*.txt
	$(LOCK) --output-file requirements.txt
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean:  ## remove .venv and caches; instance/ stays
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './instance/*' -type d -prune -exec rm -rf {} +

.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Caseward needs Python 3.11 or newer as '$(PYTHON)'. Another one can be named: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	echo "Python's venv module is missing. Install it with: sudo apt-get install $(notdir $(PYTHON))-venv   then run this again."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

$(RUNTIME): requirements.txt | .venv
	@echo "Installing what Caseward needs into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(STAMP): requirements-dev.txt | .venv
	@echo "Installing what Caseward and its tests need into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(RUNTIME)
