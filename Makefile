# The two commands: `make briefing` runs the main job, `make test` the tests. Both set everything up
# in .venv first. PYTHON=... names an interpreter (3.12 or newer); otherwise one is looked for.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
OUT ?= out
# What installs into the environment; .ci/run names a quicker one.
INSTALL_WITH ?= $(BIN)/python -m pip install --quiet

.PHONY: briefing test slow lowest lint package docs clean

briefing: $(VENV)/.ready
	$(BIN)/python examples/briefing.py --out $(OUT)

# Files in the order of tests/conftest.py, one after another to whichever process is free.
SPREAD := -n auto --dist loadfile --no-loadscope-reorder

test: $(VENV)/.ready
	$(BIN)/python -m pytest $(SPREAD)

slow: $(VENV)/.ready
	$(BIN)/python -m pytest -m slow

# The default tier on the lowest versions that pyproject.toml names, with the oldest Python.
lowest:
	.ci/lowest $(SPREAD)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The distribution builds, and its metadata are what an index of packages asks for.
package: $(VENV)/.package
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m twine check --strict dist/*

# Warnings are errors; every code cell and gallery script runs.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The site is in docs/_build/html: open index.html there."

clean:
	rm -rf $(VENV) $(OUT) docs/_build docs/gallery docs/reference/api

$(VENV)/.ready: pyproject.toml
	sh .ci/environment $(VENV) $(PYTHON)
	$(INSTALL_WITH) --editable '.[distributed,many,maps,plots,returns,tables]' --group test
	touch $@

$(VENV)/.lint: $(VENV)/.ready
	$(INSTALL_WITH) --group lint
	touch $@

$(VENV)/.package: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group package
	touch $@

$(VENV)/.docs: $(VENV)/.ready
	$(INSTALL_WITH) --group docs
	touch $@
