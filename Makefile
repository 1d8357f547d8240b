# One command for each job, the same for people and for CI. `make help` lists them.
# Everything runs from .venv, which is made and kept in line with uv.lock by itself.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where deploy/setup.sh puts uv if the machine has none; some tests ask it what the lock says.
export PATH := $(PATH):$(CURDIR)/.venv/.uv/bin

BIN := .venv/bin
PYTHON_RUN := $(BIN)/python
SERVICES := $(notdir $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml)))
MEMBERS := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml worker/pyproject.toml deploy/*/pyproject.toml)
CODE := libs services worker deploy tests benchmarks
SYNCED := .venv/.synced
COMPOSE := docker compose

$(SYNCED): uv.lock pyproject.toml $(MEMBERS)
	@deploy/setup.sh

##@ Start here
.PHONY: help setup run demo operate
help: ## list all commands
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

setup: $(SYNCED) ## make .venv, and uv for it where the machine has none

run: $(SYNCED) ## the whole platform on this machine, until Ctrl-C (VERBOSE=1: all logs; ports: .env.example)
	@exec $(PYTHON_RUN) -m deploy.local

demo: $(SYNCED) ## fill the running platform with real articles by a few dozen creators
	@$(PYTHON_RUN) -m deploy.demo

operate: $(SYNCED) ## a command of a service on that platform (ARGS="auth admin grant ada@example.org admin")
	@exec $(PYTHON_RUN) -m deploy.local.operate $(ARGS)

##@ Tests
.PHONY: test test-fast e2e e2e-compose bench bench-auth screenshot
test: test-fast e2e ## every test: unit, integration, architecture, end to end on the embedded platform

test-fast: $(SYNCED) ## all of them but the end-to-end journeys (ARGS="services/auth -k token" picks)
	@$(PYTHON_RUN) -m pytest -n auto $(ARGS)

# Two platforms, each with half of the files: most of the time a journey waits for a lease, or for a key.
e2e: $(SYNCED) ## the journeys against a platform as `make run` starts it
	@$(PYTHON_RUN) -m pytest tests/e2e --platform embedded -n 2 --dist loadfile -v $(ARGS)

e2e-compose: $(SYNCED) secrets ## the same journeys against the containers
	@$(PYTHON_RUN) -m pytest tests/e2e --platform compose -v $(ARGS)

bench: $(SYNCED) ## measure the platform: times, memory, CPU
	@PYTHONPATH=tests/e2e/support $(PYTHON_RUN) -m benchmarks.platform

bench-auth: $(SYNCED) ## measure accounts beside their bare limits: tokens, logins, refreshes, revocations
	@PYTHONPATH=tests/e2e/support $(PYTHON_RUN) -m benchmarks.auth

screenshot: $(SYNCED) ## take the picture of the start page for the README anew
	@BROADSHEET_GATEWAY_PORT=$${BROADSHEET_GATEWAY_PORT:-8080} \
		$(PYTHON_RUN) -m pytest tests/e2e/test_page.py -p no:randomly --platform embedded -q --update-screenshot

##@ Code
.PHONY: lint types format
lint: $(SYNCED) types ## all checks that need no running code
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(PYTHON_RUN) -m pytest tests/architecture/test_layout.py -q -p no:randomly

types: $(SYNCED) ## mypy, strict, on source and tests
	@$(BIN)/mypy $(CODE)

format: $(SYNCED) ## put the code into the one format, and repair what can be repaired
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

##@ Database and documents
.PHONY: migrate migration openapi
migrate: $(SYNCED) ## bring the databases of `make run` to their newest shape (it does so itself at every start)
	@$(PYTHON_RUN) -m deploy.local --only-migrate

migration: $(SYNCED) ## write a migration for changed models: make migration SERVICE=posts SLUG=add_subtitle
	@$(PYTHON_RUN) -m deploy.write_migration "$(SERVICE)" "$(SLUG)"

openapi: $(SYNCED) ## write docs/openapi/*.json anew
	@for service in $(SERVICES); do \
		env $$(grep -E '^[A-Z_]+=' .env.example) ENVIRONMENT=local \
			$(PYTHON_RUN) -m $$service openapi > docs/openapi/.$$service.draft; \
		mv docs/openapi/.$$service.draft docs/openapi/$$service.json; \
	done

##@ Containers
.PHONY: secrets compose-up compose-down
secrets: ## write the secrets that docker-compose.yml wants, once, and .env
	@$$(command -v $(PYTHON_RUN) || command -v python3) -m deploy.write_secrets

compose-up: secrets ## the platform as containers, in the background, until all of it is well
	@$(COMPOSE) up --build --detach --wait

compose-down: ## stop the containers; their data stays
	@$(COMPOSE) down --remove-orphans

##@ Clean up
.PHONY: clean reset
clean: ## remove caches and what was built; data and .venv stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage dist
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## forget the data and the secrets of `make run`
	@$(PYTHON_RUN) -m deploy.local --reset
