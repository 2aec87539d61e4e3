# Everything here needs only Python 3.11 to 3.13, make and git; it lives in .venv.
PYTHON ?= python3
EXTRAS ?= demo,dev,faces,jxl
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := cartoongan_tf data_pipeline export experiments benchmarks demo
PYTEST := $(BIN)/python -m pytest

.PHONY: help install demo page test test-slow test-research lint format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1@\2/' | awk -F@ '{printf "%-28s%s\n", $$1, $$2}'
	@echo "make PYTHON=python3.12 ...  use another Python (3.11 to 3.13)"

install: $(VENV)/installed  ## make .venv with everything that tests need

$(VENV)/installed: setup.cfg setup.py pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "$$($(PYTHON) --version) is not 3.11 to 3.13; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[$(EXTRAS)]'
	# On all cores, where pip uses one; without what is hardly ever imported.
	$(BIN)/python -m compileall -q -j 0 -x '/(torch|sympy|networkx)/|/tests/' $(VENV)/lib > $(VENV)/compileall.log || true
	touch $@

demo: install  ## cartoonize a photo, then make a small style from data to export (results in demo_output/)
	$(BIN)/python -m demo.run_demo

page:  ## build the browser page from export/web/page (needs Node.js 20 or later)
	cd export/web/page && npm ci && npm run build

test: install  ## run the tests: minutes
	$(PYTEST) --numprocesses=2 --dist=worksteal

test-slow: install  ## run the slow tests: kills, full-size networks, large photos, the wheel and the demo
	$(PYTEST) -m 'slow and not exclusive and not research' --numprocesses=2 --dist=loadfile --no-loadscope-reorder
	$(PYTEST) -m 'slow and exclusive'

test-research: install  ## run the slow tests of experiments/ and benchmarks/, which CI leaves out
	$(PYTEST) -m research --numprocesses=2 --dist=loadfile

lint: install  ## check style (ruff) and types (mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES)

format: install  ## format the code and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv and demo_output
	rm -rf $(VENV) demo_output
