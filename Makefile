# What one does with this repository. `make` alone lists it all.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The Python that runs the tools and that the development environment is made with; 3.11 or newer.
PYTHON ?= python3
# A cluster one already has, for `make demo`: a context of the kubeconfig. Empty: the local cluster.
CONTEXT ?=
# How images get onto that cluster: a command such as 'kind load image-archive {archive}' …
IMAGE_LOAD ?=
# … or a registry and path to push to and pull from, such as registry.example.org/ml.
REGISTRY ?=
# What `make test` hands to pytest: TESTS='tests/e2e -k retry' runs less.
TESTS ?= tests/unit tests/golden tests/properties tests/api tests/chart tests/e2e

# How often `make bench-serving` switches.
SWITCHES ?= 100

export PYTHON
# The operator's source root; the repository's own top is on the path of every `python -m`.
export PYTHONPATH := $(CURDIR)/operator
BIN := .venv/bin
# Tools of this repository that need nothing but Python itself.
TOOL := $(PYTHON) -m tools
DEMO_OPTIONS := $(if $(CONTEXT),--context '$(CONTEXT)') $(if $(IMAGE_LOAD),--image-load '$(IMAGE_LOAD)') \
	$(if $(REGISTRY),--registry '$(REGISTRY)')

.PHONY: help
help: ## List what there is
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ See it run

.PHONY: demo
demo: ## Cluster, operator, a training, predictions and a switch (CONTEXT=, IMAGE_LOAD=, REGISTRY= for your cluster)
	@$(TOOL).demo up $(DEMO_OPTIONS)

.PHONY: demo-down
demo-down: ## Undo the demo
	@$(TOOL).demo down $(DEMO_OPTIONS)

.PHONY: cluster
cluster: ## Start one node of Kubernetes on this machine; builds what is missing
	@$(TOOL).localcluster up

.PHONY: cluster-down
cluster-down: ## End it and leave nothing behind
	@$(TOOL).localcluster down

.PHONY: kubeconfig
kubeconfig: ## Print the path of its kubeconfig
	@$(TOOL).localcluster kubeconfig

.PHONY: build
build: ## Build what demo and tests need, side by side: the cluster's programs and the images
	@$(TOOL).demo build

# Before the tests begin: what compiles for minutes the first time would use up the time that one test has.
.PHONY: build-extras
build-extras: build ## Build what only single examples and tests need besides
	@$(TOOL).images build --all >/dev/null
	@$(TOOL).metrics build >/dev/null

.PHONY: images
images: ## Build the container images that are missing
	@$(TOOL).images build

##@ Measure it

.PHONY: bench-serving
bench-serving: ## Switch versions 100 times and take up a canary under load on the local cluster; print the figures (SWITCHES=)
	@$(TOOL).bench serving --switches $(SWITCHES)

##@ Work on it

.PHONY: setup
setup: ## Make the development environment .venv
	@tools/setup.sh

.PHONY: generate
generate: setup ## Write what is generated: CRDs, the chart's schema and README
	@$(BIN)/python -m tools.generate
	@$(BIN)/python -m tools.chart_docs

.PHONY: format
format: setup ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix --exit-zero --quiet .
	@$(BIN)/ruff format .

# Each check is a target of its own, because .pre-commit-config.yaml runs the same ones.
CHECKS := check-ruff check-format check-types check-imports check-spelling check-generated check-chart

.PHONY: lint
lint: setup $(CHECKS) ## Check style, types, layers, spelling and generated files

.PHONY: $(CHECKS)
check-ruff:
	@$(BIN)/ruff check .
check-format:
	@$(BIN)/ruff format --check .
check-types:
	@$(BIN)/mypy
check-imports:
	@$(BIN)/lint-imports
check-spelling:
	@$(BIN)/codespell
check-generated:
	@$(BIN)/python -m tools.generate --check
check-chart:
	@$(BIN)/python -m tools.chart_docs --check

.PHONY: test-fast
test-fast: setup ## The tests that need no cluster and no server
	@$(BIN)/pytest tests/unit tests/golden tests/properties

# The cluster is ended whatever happened, and the exit code is that of what failed.
.PHONY: test
test: lint build $(if $(findstring tests/e2e,$(TESTS)),build-extras) ## Everything, on a fresh machine too: checks, cluster, images, all tests
	@trap '$(TOOL).localcluster down' EXIT; trap 'exit 130' INT TERM; \
	$(TOOL).localcluster up --purpose tests; \
	$(TOOL).images load; \
	$(TOOL).run_tests $(BIN)/pytest $(TESTS)

.PHONY: run
run: setup ## Run the operator here against the current kubeconfig (MODELYARD_TRACKING_URI= names MLflow)
	@$(BIN)/python -m modelyard.main
