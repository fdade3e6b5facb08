# One command each. Every one of them sets up .venv on first use.
#
#   make book PYTHON=/path/to/python3.12     choose the Python that .venv is made from
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help

VENV    := .venv
PY      := $(VENV)/bin/python
READY   := $(VENV)/.ready
VENDOR  := .vendor/.ready
PROFILE ?= laptop
PORT    ?= 8000
DEVICE  ?= cpu
SEED    ?=
JOBS    ?= 1
TESTS   ?=
LOWEST  := _build/lowest/bin/python -m uv pip install --python _build/lowest/bin/python

# The first of these that runs and is a Python 3.11, 3.12 or 3.13.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)))' 2>/dev/null && echo "$$p" && break; done)

.PHONY: help book test test-quick test-lowest coverage dist check check-site serve lab student slides print archive pair experiments bench clean

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 20

book: $(VENDOR)  ## run the notebooks and build the site: _build/html/index.html (PROFILE=laptop|smoke)
	$(PY) -m bookkit run --profile $(PROFILE)
	$(PY) -m bookkit build
	$(PY) -m bookkit check-site _build/html

test: $(VENDOR)  ## all tests, with every notebook on tiny inputs and the pages in a browser (TESTS="--ignore tests/site")
	$(PY) -m pytest --numprocesses auto --dist loadfile $(TESTS)

# For whoever adds a measure: the measures, their invariances, maps of them, and what every file obeys.
QUICK := tests/funcsim/test_measures.py tests/funcsim/test_invariances.py tests/funcsim/test_compare.py tests/test_architecture.py

test-quick: $(READY)  ## the measures and their maps alone: under a minute
	$(PY) -m pytest --numprocesses auto --dist loadfile $(QUICK)

test-lowest:  ## the tests of the method with the lowest versions that pyproject.toml allows, in _build/lowest
	"$(PYTHON)" -m venv --clear _build/lowest
	_build/lowest/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(LOWEST) --resolution lowest-direct --editable '.[text,widgets]'
	$(LOWEST) pytest hypothesis distributed psutil
	_build/lowest/bin/python -m pytest tests/funcsim

coverage: $(READY)  ## how much of lib/funcsim its own tests run, as a table
	$(PY) -m pytest --numprocesses auto --dist loadfile --cov --cov-report term \
	  $(if $(GITHUB_STEP_SUMMARY),--cov-report markdown-append:$(GITHUB_STEP_SUMMARY)) tests/funcsim

dist: $(READY)  ## the library as a wheel and a source archive: _build/dist
	$(PY) -m build --outdir _build/dist

check: $(READY)  ## lint, types, what may import what, pairing of notebooks, cell rules, prose, spelling
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	PYTHONPATH=lib $(VENV)/bin/lint-imports
	$(PY) -m bookkit pair-check
	$(PY) -m bookkit check-cells
	$(PY) -m bookkit check-book
	$(PY) -m bookkit check-prose
	$(PY) -m codespell_lib $$(git ls-files)

check-site: $(VENDOR)  ## the built site: links, alt texts, nothing remote, and every page in a browser
	$(PY) -m bookkit check-site _build/html
	BOOK_SITE=_build/html $(PY) -m pytest --numprocesses auto --dist loadfile tests/site

serve: $(READY)  ## show the built site at http://127.0.0.1:8000 (PORT=8000)
	$(PY) -m bookkit serve _build/html --port $(PORT)

lab: $(READY)  ## JupyterLab on the notebooks
	$(PY) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

student: $(READY)  ## the built chapters without their solutions: _build/student/*.ipynb
	$(PY) -m bookkit student

slides: $(READY)  ## a slide for each figure of the built book: _build/slides/slides.html
	$(PY) -m bookkit slides

print: $(READY)  ## the built book on one page, and as a PDF where Chromium is installed: _build/print
	$(PY) -m bookkit print

archive: $(READY)  ## the built site and the executed chapters as zip files with checksums: _build/archive
	$(PY) -m bookkit archive

pair: $(READY)  ## write the set-up cells, and notebooks/*.ipynb anew from notebooks/*.py
	$(PY) -m bookkit pair

experiments: PROFILE = full
experiments: $(READY)  ## recompute what data/ stores (PROFILE=full ONLY=name DEVICE=cpu SEED=0 JOBS=1; every seed if not said)
	$(PY) -m replication experiments --profile $(PROFILE) $(if $(ONLY),--only $(ONLY)) --device $(DEVICE) $(if $(SEED),--seed $(SEED)) $(if $(or $(ENCODER),$(MODEL)),--encoder $(or $(ENCODER),$(MODEL))) --jobs $(JOBS)

bench: $(READY)  ## the solver against its peers, intervals and partition where the truth is known -> _build/bench/*.json (PROFILE=full ONLY=gw)
	$(PY) -m benchmarks --profile $(if $(filter smoke,$(PROFILE)),smoke,full) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

clean:  ## remove what was built; .venv and .vendor stay
	rm -rf _build

# ---- set-up, done once and again when the requirements change ----

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "This project needs Python 3.11, 3.12 or 3.13, and none was found on the path." >&2; \
	  echo "Install one, or say where it is: make $(or $(MAKECMDGOALS),book) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; v in ((3, 11), (3, 12), (3, 13)) or sys.exit("This project needs Python 3.11, 3.12 or 3.13; $(PYTHON) is Python %d.%d. Choose another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" % v)'
	@echo "Setting up $(VENV) from constraints.txt (once; some minutes)"
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[book,test,text,widgets]' \
	  | { grep -v 'already satisfied' || true; }
	@touch $@

$(VENDOR): $(READY) lib/bookkit/browser/files.json lib/bookkit/browser/package-lock.json
	$(PY) -m bookkit vendor
	@touch $@
