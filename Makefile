# One name a habit. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup doctor up down status demo scenario skaffold-run skaffold-dev token diagnose clean check format \
	dashboards lock test test-unit test-operator-api test-integration test-e2e

VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := apps/src:charts/observability/src:cluster/src:operator/src:.
CLUSTER := $(BIN)/python -m doorbuster_cluster
DEMO := $(BIN)/python -m loadtests.demo --operator $(or $(OPERATOR),on) --peak $(or $(PEAK),100)
# As USER below: some systems set NAME, and a machine's name is no scenario's.
SCENARIO_NAME := $(if $(filter command%,$(firstword $(origin NAME))),$(NAME))
SCENARIO := $(BIN)/python -m loadtests.trials $(SCENARIO_NAME) $(if $(ITERATIONS),--iterations $(ITERATIONS))
LOCKED := requirements/dev.txt
# The shell's own USER is a login name; only what stands behind `make` counts.
USER_ID := $(if $(filter command%,$(firstword $(origin USER))),$(USER),1)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.locked ## make the Python environment (.venv) from the locked requirements

$(VENV)/.locked: $(LOCKED)
	python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCKED)
	touch $@

doctor: setup ## look at this machine and say what is missing; changes nothing
	@$(CLUSTER) doctor

up: setup ## bring the whole platform up: engine, images, kind cluster, charts
	@$(CLUSTER) up

down: setup ## remove the cluster and put the machine back as it was
	@$(CLUSTER) down

status: setup ## show cluster, releases and pods
	@$(CLUSTER) status

demo: setup ## a sale under load, a slow consumer and the operator at work; OPERATOR=off, PEAK=100 orders a second
	@$(DEMO) --only-check-options
	@$(CLUSTER) up
	@$(DEMO)

scenario: setup ## a load with figures and limits, then the auditor; NAME=s1, without NAME a list; after `make up`
	@$(SCENARIO)

skaffold-run: setup ## build, push and roll out the whole platform once by skaffold; after `make up`
	@$(CLUSTER) skaffold run

skaffold-dev: setup ## the same for operator and apps at each change of a file, until Ctrl-C
	@$(CLUSTER) skaffold dev

token: setup ## print a token of the user USER (1) for trying the API out
	@$(CLUSTER) token $(USER_ID)

diagnose: setup ## write a bundle of events, statuses and logs to out/
	@$(CLUSTER) diagnose

clean: setup ## delete the cache (programs, images, engine data); after `make down`
	@$(CLUSTER) clean

check: setup ## formatter, linters, types, import contracts, unit and architecture tests
	$(BIN)/python -m tests.run check

test: setup ## everything: check, then operator_api, integration and e2e against real servers
	$(BIN)/python -m tests.run check operator_api integration e2e

test-unit: setup ## only the unit and architecture tests
	$(BIN)/python -m pytest tests/unit tests/architecture

test-operator-api: setup ## only the operator_api tier: a real API server as two processes
	$(BIN)/python -m tests.run operator_api

test-integration: setup ## only the integration tier: MySQL, Redis and Kafka in containers
	$(BIN)/python -m tests.run integration

test-e2e: setup ## only the e2e tier: a kind cluster of its own
	$(BIN)/python -m tests.run e2e

dashboards: setup ## write the dashboards' JSON anew from charts/observability/src
	$(BIN)/python -m doorbuster_dashboards

format: setup ## format the Python code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## resolve the requirements anew (needs uv: pip install uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev --group loadtest --extra apps --extra operator pyproject.toml --output-file $(LOCKED)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra apps --constraint $(LOCKED) pyproject.toml --output-file requirements/apps.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra operator --constraint $(LOCKED) pyproject.toml --output-file requirements/operator.txt
