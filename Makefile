# One word a chore. `make demo` and `make test` set up everything they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tools of others that read what we write, in an environment of their own: docs/decisions/interoperability.md
OTHERS := .venv-interop

# Build backends are pinned by the same file as everything else.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check interop lint fix docs bench clean

demo: $(VENV)/ready
	$(BIN)/newsmorgue demo

test: $(VENV)/ready $(OTHERS)/ready
	$(BIN)/python -m pytest -n auto --dist loadfile

interop: $(VENV)/ready $(OTHERS)/ready
	$(BIN)/python -m pytest tests/test_interoperability.py

check: lint test

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: $(VENV)/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/ready
	$(BIN)/python docs/generate.py

bench: $(VENV)/ready
	$(BIN)/python tests/bench/speed.py

clean:
	rm -rf $(VENV) $(OTHERS) demo-archive dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"newsmorgue needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

$(OTHERS)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(OTHERS)
	$(OTHERS)/bin/python -m pip install --quiet --editable '.[interop]'
	touch $@
