# make serve: the chat page and the API on 127.0.0.1:8000.   make test: all tests.   Both install what they need.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: serve test test-ui check format index eval package clean

serve: $(STAMP)
	$(BIN)/nkqa serve

test: $(STAMP)
	$(BIN)/python -m pytest -m "not browser"

test-ui: $(STAMP)
	$(BIN)/python -m pytest -m browser

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src ui eval tests

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

index: $(STAMP)
	$(BIN)/nkqa index build

eval: $(STAMP)
	$(BIN)/nkqa eval --set dev

# Build the wheel, install it where nothing is, and ask it one question from another folder.
package: $(STAMP)
	rm -rf dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	sh tests/package.sh dist

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nkqa needs Python 3.11 or later; say PYTHON=/path/to/python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) dist index/builds index/encoders index/CURRENT index/.lock
