# All commands of the project. make installs a virtual environment again when its lock file changes.

# Let Python store its compiled files, even if this variable is set on the machine. Otherwise every
# process would compile the libraries again, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
UV := $(VENV)/uv/bin/uv
PIP_SYNC = $(UV) pip sync --quiet --no-config --require-hashes --python $(VENV)/$(1)/bin/python $(2)

.DEFAULT_GOAL := help
.PHONY: help up down trial trial-down status logs clean install prerequisites tune pictures test run-tests test-fast run-fast-tests test-containers lint lint-style lint-types lint-imports lint-workflows lint-openapi client format lock bench-%

help:  ## list the commands
	@grep -E '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

up: install  ## start all services, run the pipeline, print a forecast
	@$(VENV)/sandbox/bin/python -m sandbox up

down:  ## stop all services
	@if [ -x $(VENV)/sandbox/bin/python ]; then $(VENV)/sandbox/bin/python -m sandbox down; fi

status:  ## show the state of the services
	@$(VENV)/sandbox/bin/python -m sandbox status

logs:  ## print the services' logs, and new lines until Ctrl-C
	@$(VENV)/sandbox/bin/python -m sandbox logs

clean: down  ## stop all services; delete Airflow's database, the local bucket, the logs
	rm -rf .sandbox app/model

install: prerequisites $(VENV)/pipeline.done $(VENV)/api.done $(VENV)/ui.done $(VENV)/sandbox.done

prerequisites:
	@$(PYTHON) sandbox/prerequisites.py

$(UV): requirements/uv.txt | prerequisites
	@echo "installing uv"
	@$(PYTHON) -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<

$(VENV)/dev.done: requirements.txt $(UV)
	@echo "installing the dev environment"
	@$(UV) venv --quiet --no-config --allow-existing --python $(PYTHON) $(VENV)/dev
	@# Compile now. Otherwise all test workers would compile the same files at the same time.
	@$(call PIP_SYNC,dev,--compile-bytecode $<)
	@touch $@

$(VENV)/%.done: requirements/%.txt $(UV)
	@echo "installing the $* environment"
	@$(UV) venv --quiet --no-config --allow-existing --python $(PYTHON) $(VENV)/$*
	@$(call PIP_SYNC,$*,$<)
	@touch $@

tune: $(VENV)/pipeline.done  ## search for better model parameters, on the last run's films; ARGS='--date ...'
	@$(VENV)/pipeline/bin/python -m scripts.tune $(ARGS)

pictures: $(VENV)/dev.done  ## take the screenshots for docs/ from the services that `make up` started
	@$(VENV)/dev/bin/python -m docs.take_pictures

# The tests often wait for servers and browsers, so there are more test workers than cores. With
# PASSIVE, a thread that waits for other threads of a calculation sleeps, so another worker can use
# the core.
WORKERS ?= 5
FAST_WORKERS ?= 3
run-tests run-fast-tests: export OMP_WAIT_POLICY = PASSIVE
# OpenBLAS has no such setting: its waiting threads use a core. So it may have only one thread.
run-tests run-fast-tests: export OPENBLAS_NUM_THREADS = 1
PYTEST = $(VENV)/dev/bin/python -m pytest --dist loadscope --no-loadscope-reorder

test: install lint  ## run all checks and all tests, except those of `make test-containers`
	@$(VENV)/dev/bin/python -m tests.support.install_browser
	@$(VENV)/dev/bin/python -m tests.support.install_from_debian
	@$(MAKE) --no-print-directory run-tests

run-tests:
	@$(PYTEST) --numprocesses $(WORKERS) $(ARGS)

test-fast: install lint  ## run the checks, and the tests without Airflow, browser, containers or generated clients
	@$(MAKE) --no-print-directory run-fast-tests

run-fast-tests:
	@# The two folders hold only tests that are left out; even their import takes seconds.
	@$(PYTEST) --numprocesses $(FAST_WORKERS) -m 'not (airflow or browser or containers or generators)' \
		--ignore tests/dags --ignore tests/browser $(ARGS)

trial: $(VENV)/sandbox.done  ## run both instances in containers here, until a forecast; needs Docker
	@$(VENV)/sandbox/bin/python -m ops.trial up

trial-down: $(VENV)/sandbox.done  ## stop the containers of `make trial`, and delete their data
	@$(VENV)/sandbox/bin/python -m ops.trial down

test-containers: $(VENV)/dev.done  ## test the images: build and start them; needs Docker
	@$(VENV)/dev/bin/python -m pytest -m containers $(ARGS)

CHECK_SCHEMA = $(VENV)/dev/bin/check-jsonschema --quiet --builtin-schema

lint: lint-style lint-types lint-imports lint-workflows lint-openapi  ## check style, types, import rules, GitHub workflows and the OpenAPI description

lint-style lint-types lint-imports lint-workflows: $(VENV)/dev.done

lint-style:
	@$(VENV)/dev/bin/ruff check .
	@$(VENV)/dev/bin/ruff format --check .

ZUBAN = $(VENV)/dev/bin/zuban mypy --no-error-summary --python-executable $(VENV)/dev/bin/python

lint-types:
	@$(ZUBAN) movierating scripts app dags airflow_local_settings ui sandbox ops benchmarks docs tests clients/python
	@$(ZUBAN) app.py

lint-imports:
	@$(VENV)/dev/bin/lint-imports

lint-workflows:
	@$(VENV)/dev/bin/actionlint -shellcheck= -pyflakes= .github/workflows/*.yaml
	@$(CHECK_SCHEMA) vendor.github-workflows .github/workflows/*.yaml
	@$(CHECK_SCHEMA) vendor.github-issue-forms .github/ISSUE_TEMPLATE/*.yaml

# The checks of the OpenAPI description take some seconds, so they run only if it has changed.
OPENAPI = $(VENV)/openapi
NPM_TOOLS = $(OPENAPI)/node_modules/.bin
WITH_NODE = PATH="$(CURDIR)/$(VENV)/generators/bin:$$PATH"

lint-openapi: $(OPENAPI)/linted

$(OPENAPI)/linted: $(OPENAPI)/open.json $(OPENAPI)/with-keys.json redocly.yaml .spectral.yaml $(OPENAPI)/npm.done
	@$(WITH_NODE) REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true $(NPM_TOOLS)/redocly lint \
		--config redocly.yaml --format stylish $(OPENAPI)/open.json $(OPENAPI)/with-keys.json 2>$(OPENAPI)/redocly.log \
		|| { cat $(OPENAPI)/redocly.log; exit 1; }
	@$(WITH_NODE) $(NPM_TOOLS)/spectral lint --quiet --ruleset .spectral.yaml --fail-severity warn \
		$(OPENAPI)/open.json $(OPENAPI)/with-keys.json
	@touch $@

# The program writes a description only if it is new, so that make sees whether it has changed.
$(OPENAPI)/open.json $(OPENAPI)/with-keys.json: $(OPENAPI)/written ;

$(OPENAPI)/written: $(VENV)/dev.done docs/write_openapi.py $(shell find app movierating -name '*.py')
	@$(VENV)/dev/bin/python -m docs.write_openapi $(OPENAPI)
	@touch $@

$(OPENAPI)/npm.done: requirements/npm/package.json requirements/npm/package-lock.json $(VENV)/generators.done
	@echo "installing the npm tools"
	@mkdir -p $(OPENAPI)
	@cp requirements/npm/package.json requirements/npm/package-lock.json $(OPENAPI)
	@cd $(OPENAPI) && $(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel error > /dev/null
	@touch $@

client: $(UV)  ## build the Python client of the API, in clients/python/dist
	@$(UV) build --quiet --no-config --wheel --out-dir clients/python/dist clients/python

format: $(VENV)/dev.done  ## format the code
	@$(VENV)/dev/bin/ruff check --fix .
	@$(VENV)/dev/bin/ruff format .

bench-%: install $(VENV)/dev.done  ## run the benchmark benchmarks/NAME.py: make bench-NAME ARGS='...'
	@$(VENV)/dev/bin/python -m benchmarks.$* $(ARGS)

COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --quiet $(LOCK_ARGS)
LOCK = $(COMPILE) pyproject.toml

lock: $(UV)  ## write the lock files again; LOCK_ARGS=--upgrade also updates the versions
	@$(LOCK) --all-extras --output-file requirements.txt
	@for name in pipeline api ui sandbox; do \
		$(LOCK) --extra $$name --constraint requirements.txt --output-file requirements/$$name.txt; \
	done
	@$(COMPILE) --group generators --output-file requirements/generators.txt
