# Two commands matter: `make run` and `make test`. Everything else is listed by `make help`.
# Only make, a shell and Python 3.11 to 3.13 are needed; the rest is set up in .venv.

SHELL := /bin/sh
.DEFAULT_GOAL := help

UV_VERSION := 0.13.8
VENV := .venv
BIN := $(VENV)/bin
TEST_OPTIONS ?=

# The Python to build .venv with; `make run PYTHON=/path/to/python3.12` chooses another one.
PYTHON ?=

export PYTHONUTF8 = 1

# Where the browser tests keep what they saw, for whoever looks at a change of the pages.
export PAGE_SCREENSHOTS ?= $(CURDIR)/build/screenshots

.PHONY: help run stop reset status test campaign check venv clean
.PHONY: bench bench-extract bench-tenants bench-warehouse

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: venv ## start everything, connect three demo organisations, run three nights
	@$(BIN)/local-stack run

# Without .venv nobody knows what runs, nor which key a warehouse of one's own still needs.
stop reset status: # see the list below
	@if [ -x $(BIN)/local-stack ]; then $(BIN)/local-stack $@; \
	elif [ -d .local ]; then echo "$(VENV) is missing: run make venv first, then make $@" >&2; exit 1; \
	elif [ $@ = status ]; then echo "nothing was started here: make run starts everything"; fi

stop: ## end everything that make run started; nothing is lost
reset: ## stop, and delete all state of make run (.local)
status: ## say what is running

# A file stays in one worker, so that its servers and dbt builds are made once.
test: venv ## the fast tests (about 20 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not campaign and not end_to_end" $(TEST_OPTIONS)

campaign: venv ## the slow tests: full numbers, whole stack (about 40 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "campaign and not end_to_end" $(TEST_OPTIONS)
	@$(BIN)/python -m pytest -m end_to_end $(TEST_OPTIONS)

check: venv ## style, types, SQL and floors; never repairs a file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PYTHONWARNINGS=ignore:resource_tracker $(BIN)/sqlfluff lint --processes 2 \
		--disable-progress-bar dbt/models dbt/tests

bench: venv ## measure, and print the figures
	@$(BIN)/python -m benchmarks --keep

bench-extract: venv ## measure the extraction of one organisation alone (at most 5 minutes)
	@$(BIN)/python -m benchmarks extracting --keep

bench-tenants: venv ## measure a quiet night of 1,000 organisations (half an hour)
	@$(BIN)/python -m benchmarks many_tenants --samples 1 --keep

bench-warehouse: venv ## measure the marts of 500,000 invoices (half an hour), and print the figures
	@$(BIN)/python -m benchmarks.warehouse

clean: reset ## reset, and delete .venv too
	@rm -rf $(VENV)

# The stamp holds checksums, not times: a fresh checkout of the same files installs nothing,
# so that everything works offline after the first time.
venv: ## set up .venv from the lock; nothing to do when it is current
	@set -e; \
	wanted=$$(cat requirements.txt pyproject.toml Makefile | cksum); \
	version='import sys; print(*sys.version_info[:3])'; \
	if [ -n "$(PYTHON)" ] && [ -x $(BIN)/python ] && \
	   [ "$$("$(PYTHON)" -c "$$version" 2>/dev/null)" != "$$($(BIN)/python -c "$$version")" ]; then \
	  wanted="$$wanted for $(PYTHON)"; \
	fi; \
	if [ -x $(BIN)/python ] && $(BIN)/python -c '' 2>/dev/null && \
	   [ "$$(cat $(VENV)/.installed 2>/dev/null)" = "$$wanted" ]; then exit 0; fi; \
	started=$$(date +%s); \
	say() { printf '[%4d s] %s\n' $$(( $$(date +%s) - started )) "$$1"; }; \
	fits() { "$$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }; \
	python="$(PYTHON)"; \
	if [ -z "$$python" ] && fits $(BIN)/python; then python=$(BIN)/python; fi; \
	if [ -z "$$python" ]; then \
	  for name in python3.11 python3.12 python3.13 python3; do \
	    if fits "$$name"; then python=$$name; break; fi; \
	  done; \
	fi; \
	if [ -z "$$python" ] || ! fits "$$python"; then \
	  echo "Python 3.11, 3.12 or 3.13 is needed$${python:+, and $$python is none of them}." >&2; \
	  echo "Debian and Ubuntu: apt install python3 python3-venv; or: make run PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
	  version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "This Python cannot make virtual environments. On Debian and Ubuntu:" >&2; \
	  echo "  apt install python3-venv    (or python$$version-venv)" >&2; \
	  exit 1; \
	fi; \
	if ! $(BIN)/python -c '' 2>/dev/null || \
	   [ "$$("$$python" -c "$$version")" != "$$($(BIN)/python -c "$$version")" ]; then \
	  say "making $(VENV) with $$("$$python" --version)"; \
	  rm -rf $(VENV); "$$python" -m venv $(VENV); \
	fi; \
	rm -f $(VENV)/.installed; \
	failed() { \
	  echo "$$1 failed: check that a package index can be reached and the disk has 1 GB left," >&2; \
	  echo "then run the command again." >&2; exit 1; \
	}; \
	say "installing uv $(UV_VERSION)"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) || failed "pip"; \
	say "installing the locked packages"; \
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements.txt || failed "uv pip sync"; \
	say "installing this project"; \
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . || failed "uv pip install"; \
	echo "$${wanted% for *}" > $(VENV)/.installed; \
	say "$(VENV) is ready"
