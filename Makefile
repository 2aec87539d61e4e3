# Everything here needs only Python 3.11 to 3.13, make and git; it lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo test test-slow lint clean

help:
	@echo "make demo       a photo as a cartoon; then the whole job of making a style, in minutes (results in demo_output/)"
	@echo "make test       the tests; make test-slow runs those that take longer"
	@echo "make lint       ruff, as the tests expect it"
	@echo "make clean      remove .venv and demo_output"
	@echo "make PYTHON=python3.12 ...   use another Python (3.11 to 3.13)"

install: $(VENV)/installed

$(VENV)/installed: setup.cfg setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$$($(PYTHON) --version) is not 3.11 to 3.13; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[demo,dev]'
	touch $@

demo: install
	$(BIN)/python -m demo.run_demo

test: install
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal

test-slow: install
	$(BIN)/python -m pytest -m slow --numprocesses=2 --dist=worksteal

lint: install
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) demo_output
