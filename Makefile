# Each target does its own set-up. PYTHON selects the interpreter, PORT where the server listens, WORKERS how many tests
# run at once.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 4

python := .venv/bin/python
script_tools := node_modules/.package-lock.json
node_modules := $(patsubst %,%/node_modules/.package-lock.json,tests/axe tests/sdk tests/server_sdk examples/prebuilt)

passed_over := $(addprefix --ignore=,.venv node_modules bench examples tests staticfiles)

.PHONY: run test lint format messages soak simulate simulate-scale bench screenshots clean reset venv venv-dev system-packages node test-setup

run: venv
	HMSROOM_DEV=1 exec $(python) manage.py serve --port $(PORT)

test: test-setup
	node --test tests/js/*.test.js
	$(python) -m pytest -n $(WORKERS) --no-loadscope-reorder

lint: venv-dev $(script_tools)
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	.venv/bin/lint-imports --no-cache
	node_modules/.bin/biome check --error-on-warnings
	node_modules/.bin/tsc -p .
	node --test tests/types/*.test.js

format: venv-dev $(script_tools)
	$(python) -m ruff check --fix
	$(python) -m ruff format
	node_modules/.bin/biome check --write

# Gathers the texts of the pages into the catalogues under locale/ and compiles these: docs/architecture.md.
messages: venv-dev
	@scripts/ensure-system-packages messages
	HMSROOM_DEV=1 $(python) manage.py makemessages --all --no-obsolete --no-wrap --no-location $(passed_over)
	HMSROOM_DEV=1 $(python) manage.py makemessages --all --no-obsolete --no-wrap --no-location $(passed_over) -d djangojs
	@# Without dates: a catalogue changes when its words do.
	sed -i.bak '/^"POT-Creation-Date: /d; /^"Report-Msgid-Bugs-To: /d' locale/*/LC_MESSAGES/*.po
	@rm locale/*/LC_MESSAGES/*.bak
	HMSROOM_DEV=1 $(python) manage.py compilemessages $(passed_over)

# Chaos and load for an hour, the many cases of which `test` takes some, and examples that nobody chose.
soak: test-setup
	$(python) -m pytest -m "soak or hypothesis"

# The server on virtual time, with whatever may go wrong: docs/architecture.md. What a seed does it does again.
simulate: venv-dev
	$(python) -m tests.simulation.run --seed $(or $(SEED),1) --world $(or $(WORLD),0) --steps $(or $(STEPS),1000000)

# Rooms in many cells, on paper: docs/scaling.md.
simulate-scale: venv-dev
	$(python) bench/simulate_scale.py --seed $(or $(SEED),1) $(if $(WRITE),--write)

# Beside other chat servers; QUICK=1 takes at most six minutes.
bench: venv-dev
	@scripts/ensure-system-packages bench
	$(python) bench/run.py $(if $(QUICK),--quick)

# A picture of every page and state, on three screens, light and dark, in screenshots/.
screenshots: test-setup
	$(python) -m bench.page.screenshots

clean:
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache staticfiles screenshots bench/.venv bench/build
	find . -name node_modules -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +

# Forgets every room: deletes the database and the secrets of `make run`.
reset:
	rm -rf var

venv:
	@scripts/ensure-venv $(PYTHON) requirements.txt

venv-dev:
	@scripts/ensure-venv $(PYTHON) requirements-dev.txt

system-packages:
	@scripts/ensure-system-packages test

node:
	@scripts/ensure-system-packages lint

test-setup: venv-dev system-packages $(node_modules) $(script_tools)

%/node_modules/.package-lock.json: %/package-lock.json | system-packages
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(script_tools): package-lock.json package.json | node
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
