# The two commands: `make briefing` runs the main job, `make test` the tests. Both set everything up
# in .venv first. PYTHON=... names an interpreter (3.12 or newer); otherwise one is looked for.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?=
OUT ?= out

.PHONY: briefing test slow lowest lint package docs clean

briefing: $(VENV)/.ready
	$(BIN)/python examples/briefing.py --out $(OUT)

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadfile

slow: $(VENV)/.ready
	$(BIN)/python -m pytest -m slow

# The default tier on the lowest versions that pyproject.toml names, with the oldest Python.
lowest:
	.ci/lowest -n auto --dist loadfile

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
	$(BIN)/python -m pip install --quiet --editable '.[distributed,many,maps,plots,returns,tables]' --group test
	touch $@

$(VENV)/.lint: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

$(VENV)/.package: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group package
	touch $@

$(VENV)/.docs: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --group docs
	touch $@
