# Every command a person needs. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run test test-slow check attacks premises-drill bench corpus shift install uninstall clean

PYTHON := .venv/bin/python
SESSION := packaging/session.sh headless
WORKERS ?= auto
# The tests run in an order of chance, told at their start; the same SEED gives a red run's order again.
SEED := $(or $(SEED),$(shell date +%s))
CORPUS ?= resources/demo

# Byte code also where the environment forbids writing it: without, every process that a test starts compiles the program again (0.3 s of
# processor time), and every pytest its test modules (10 s).
check test test-slow: export PYTHONDONTWRITEBYTECODE :=

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set up, found the demo station and open the desk (HEADLESS=1: play the shift)
	@HEADLESS='$(HEADLESS)' packaging/run.sh

test: ## set up and pass the tests
	@packaging/setup.sh dev
	@echo "order of the tests: SEED=$(SEED)"
	@$(SESSION) $(PYTHON) -m pytest -q -m 'not slow and not alone and not measured' --randomly-seed=$(SEED) -n $(WORKERS) $(ARGS)
	@$(SESSION) $(PYTHON) -m pytest -q -p no:randomly -m 'not slow and alone and not measured' $(ARGS)

test-slow: ## the long tests: hundreds of kills, big files
	@packaging/setup.sh dev
	@echo "order of the tests: SEED=$(SEED)"
	@$(SESSION) $(PYTHON) -m pytest -q -m 'slow and not alone and not measured' --randomly-seed=$(SEED) -n $(WORKERS) --maxschedchunk 1 $(ARGS)
	@$(SESSION) $(PYTHON) -m pytest -q -p no:randomly -m 'slow and alone and not measured' $(ARGS)

check: ## lint, types, import contracts, completeness of words and icons
	@packaging/setup.sh dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(SESSION) $(PYTHON) -m pytest -q tests/architecture

attacks: ## try every way out against a running desk; table and build/attacks.json (ROWS="V1 V50 hour": only those, into build/attacks-rows.json)
	@packaging/setup.sh dev
	@$(SESSION) $(PYTHON) -m tests.attacks.suite $(ROWS)
	@$(SESSION) $(PYTHON) -m pytest -q -s -m measured tests/attacks

premises-drill: ## carry a bound workstation off its premises and back, as root, in network namespaces; table and build/premises.json
	@packaging/setup.sh dev
	@$(PYTHON) -m tests.premises_drill $(ARGS)

bench: ## measure what is promised; table and build/bench.json (ITEMS="turn intake": only those)
	@packaging/setup.sh dev
	@$(SESSION) $(PYTHON) -m tests.bench $(ITEMS)

corpus: ## take in and render every file of a folder: make corpus CORPUS=dir
	@packaging/setup.sh dev
	@$(PYTHON) -m tests.bench.corpus '$(CORPUS)'

shift: ## play one scripted shift without a display; pictures in build/shift
	@HEADLESS=1 packaging/run.sh

install: ## install on this workstation, as root: vault and program out of the officers' reach (PREFIX=/opt/casevault VAULT=/var/lib/casevault)
	@PREFIX='$(PREFIX)' VAULT='$(VAULT)' packaging/install.sh install

uninstall: ## take the program away again, as root; the vault stays
	@PREFIX='$(PREFIX)' VAULT='$(VAULT)' packaging/install.sh uninstall

clean: ## remove what was built here; demo station and virtual environment stay
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
