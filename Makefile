# MLED: `make up` runs it, `make demo` runs it with people and runs to look at, `make test` checks it.
# Options: MLED_PORT MLED_HOST MLED_DATA DATABASE_URL REDIS_URL (see .env.example).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin

.PHONY: help up demo test test-full lint format openapi constraints clean

help:
	@echo "make up         run MLED on http://127.0.0.1:8000 (first call prepares everything)"
	@echo "make demo       the same, with demo people, projects and trained runs"
	@echo "make test       every check and every test, on SQLite and PostgreSQL, as CI does"
	@echo "make test-full  the same, with long repetitions and large data"
	@echo "make lint       the checks without the tests"
	@echo "make format     let ruff put the code in order"
	@echo "make openapi    write the description of the REST API anew (docs/openapi.yaml)"
	@echo "make constraints  pin again what the requirements pull in"
	@echo "make clean      remove what the other targets made, except data in var/"

up:
	@$(PYTHON) prepare.py
	@exec $(VENV)/python manage.py up

demo:
	@$(PYTHON) prepare.py
	@exec $(VENV)/python manage.py up --demo

test:
	@$(PYTHON) prepare.py --dev
	@exec $(VENV)/python -m tests.run_checks

test-full:
	@$(PYTHON) prepare.py --dev
	@MLED_TEST_FULL=1 exec $(VENV)/python -m tests.run_checks

lint:
	@$(PYTHON) prepare.py --dev
	@exec $(VENV)/python -m tests.run_checks --no-tests

format:
	@$(PYTHON) prepare.py --dev
	@$(VENV)/ruff check --fix-only --quiet .
	@$(VENV)/ruff format .

openapi:
	@$(PYTHON) prepare.py
	@$(VENV)/python manage.py spectacular --fail-on-warn --file docs/openapi.yaml

constraints:
	@$(PYTHON) prepare.py --dev
	@{ head -1 constraints.txt; $(VENV)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	  --no-header requirements-dev.txt; } > constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf .venv node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
