# Two commands are all one needs: `make demo` and `make test`.
PYTHON ?= python3
PORT ?= 8080
DIR ?= demo
BIN = .venv/bin

.PHONY: setup demo test lint format words bench mutants

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[test]'
	$(BIN)/python -m compileall -q app plugins sandbox migrations
	touch .venv/ready

setup: .venv/ready

demo: setup
	$(BIN)/antstack demo --port $(PORT) --dir $(DIR)

test: setup
	$(BIN)/python -m pytest -n auto --dist loadgroup

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python -m tests.templates --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/antstack words --check

format: setup
	$(BIN)/ruff check --select I --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/python -m tests.templates

# Texts of code and templates into the catalogues, app/translations and plugins/*/translations, to be translated there
words: setup
	$(BIN)/antstack words

bench: setup
	$(BIN)/python -m bench

# Of all modules in tests/mutants/mutants.toml, or of one: make mutants MODULE=app/web/paging.py
mutants: setup
	$(BIN)/pip install --quiet --editable '.[mutants]'
	$(BIN)/python -m tests.mutants $(MODULE)
