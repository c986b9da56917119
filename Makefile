# Everything a person needs: `make demo`, `make test`, `make help`. GNU make >= 3.81 (Linux and macOS).
.DEFAULT_GOAL := help
SHELL := /bin/sh

# Some container images set it: each process would then compile all that it imports, two seconds a time.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := orchestrator tests scripts
# Some of the tests wait most of the time: more workers than cores.
PYTEST_ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder
# What `make faults` tries beside its sweeps: races, interrupts, secrets. They are among the tests too.
FAULTS_BESIDE := tests/conformance/test_database_servers.py::test_many_at_once_make_it_once \
  tests/e2e/test_trust.py tests/e2e/test_trust_apply.py tests/e2e/test_canary.py
SPEED ?=
KEEP ?=

# Targets that call orchestrate on a stack of your own: apply, plan, status, …
ORCHESTRATE ?= $(BIN)/orchestrate
-include hooks/orchestrate.mk

$(orchestrate_targets): $(READY)

.PHONY: help setup test check static format demo dist bench bench-wait reference docs screenshots image-rehearsal roundtrip upgrade roundtrip-faults killed-terraform second-cloud smoke diagnose faults scale fleet corpus clean trial newest upgrade-dependencies

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo 'on a stack of your own:'
	@$(MAKE) --no-print-directory orchestrate-help

setup: $(READY) ## install everything into .venv and .tools (the other targets do it when needed)

$(READY): pyproject.toml constraints.txt constraints-postgres.txt scripts/setup scripts/setup.py
	@scripts/setup
	@touch $@

demo: $(READY) ## the whole story on a local cloud (KEEP=1 keeps it up, SPEED=n sets its speed, DNS=porkbun: the domain is there, HOOK=null_resource|terraform_data: a plain terraform apply calls orchestrate, TERRAFORM=1.11|1.15, ONYX=2|4)
	@$(BIN)/orchestrate demo $(if $(KEEP),--keep) $(if $(SPEED),--speed $(SPEED)) $(if $(DNS),--dns $(DNS)) \
	  $(if $(HOOK),--hook $(HOOK)) $(if $(TERRAFORM),--terraform $(TERRAFORM)) \
	  $(if $(ONYX),--onyx $(ONYX))

test: $(READY) ## all tests (PYTEST_ARGS="-k dns" for some; TERRAFORM=1.15 for those on another Terraform)
	$(BIN)/pytest $(PYTEST_ARGS)

check: static test ## what CI runs: format, ruff, mypy --strict, import rules, tests

static: $(READY) ## the part of `make check` that runs no tests
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

format: $(READY) ## format the code and let ruff fix what it can
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(READY) ## measure the promises about speed
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/bench_plan.py
	$(BIN)/python scripts/bench_steps.py
	$(BIN)/python -P -m tests.bench.first_run
	@echo 'how long the wait takes beside other tools (half an hour): make bench-wait'

bench-wait: $(READY) ## our wait compared with `aws ecs wait` and ecs-deploy, on one local cloud (BENCH_ARGS="--scenario warm")
	$(BIN)/python -m tests.bench.wait $(BENCH_ARGS)

dist: $(READY) ## build the wheel and the source distribution into dist/ (reproducible)
	$(BIN)/python -m build --no-isolation --outdir dist

upgrade-dependencies: $(READY) ## write constraints.txt anew: the newest Python packages, with their hashes (make newest tries them first)
	@$(BIN)/python -P -m scripts.upgrade_dependencies

newest: $(READY) ## try the newest Python packages, in an environment of their own, and say what they break (NEWEST_ARGS=tests)
	@$(BIN)/python -P -m scripts.newest_dependencies $(NEWEST_ARGS)

trial: $(READY) ## type what README, tutorial and how-tos say on one local stack, and compare what it says (TRIAL=full: the longest too)
	$(BIN)/pytest -q tests/trial/trial.py

reference: $(READY) ## write docs/reference from the code
	$(BIN)/python scripts/generate_reference.py

docs: $(READY) ## build the docs as a site in build/site (links are checked; the search works offline)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --clean
	@echo "written: build/site/index.html"

screenshots: $(READY) ## take the pictures in docs/images again (needs a Chromium)
	$(BIN)/python -P -m scripts.screenshots

image-rehearsal: $(READY) ## run the Dockerfile's steps without Docker, in roots of debootstrap (as root; three minutes)
	$(BIN)/python -P -m scripts.image_rehearsal

roundtrip: $(READY) ## two tenants' data through backup, destroy and restore, with real Terraform; its last line: identical, or what differs (SPEED=n, ONYX=2|4)
	@$(BIN)/python -P -m orchestrator.local.stories.roundtrip $(if $(SPEED),--speed $(SPEED)) $(if $(ONYX),--onyx $(ONYX))

upgrade: $(READY) ## two tenants' data from Onyx 2 to 4, kill -9 at each station; its last line: identical, or what differs
	@$(BIN)/python -P -m orchestrator.local.stories.upgrade $(SPEED)

roundtrip-faults: $(READY) ## the same on a small stack, with kill -9 in each phase (some minutes)
	$(BIN)/pytest -q tests/e2e/lifecycle_kills.py

killed-terraform: $(READY) ## kill -9 Terraform while it creates each kind of resource, then finish: nothing is created twice (half an hour)
	$(BIN)/pytest -q --log-cli-level=INFO tests/terraform/killed_terraform.py

second-cloud: $(READY) ## the story with twelve tenants on a cloud by other authors (ministack), with real Terraform
	@$(BIN)/python -P -m tests.second_cloud

smoke: $(READY) ## the kit for a first real account, run on the local cloud and on ministack, and killed halfway (an hour; SMOKE_ARGS="local")
	@$(BIN)/python -P -m tests.smoke.rehearsal $(SMOKE_ARGS)

diagnose: $(READY) ## every fault of the local cloud: does the doctor name its cause first? (half an hour; DIAGNOSE_ARGS="oom")
	$(BIN)/python -m tests.diagnose $(DIAGNOSE_ARGS)

faults: $(READY) ## crashes and failures at every call, random schedules, races, interrupts, any input (an hour; short forms: `make test`)
	FAULTS=full $(BIN)/pytest -q tests/faults $(FAULTS_BESIDE)

scale: $(READY) ## everything on a stack of 90 tenants (ten minutes; the test suite uses 25 tenants)
	TENANTS=90 LOCAL_CLOUD_PAGE=0 $(BIN)/pytest -q tests/e2e/test_scale.py

fleet: $(READY) ## a fleet of 40 stacks on a local cloud, whose workers are killed and stopped (an hour; FLEET_SEED=n repeats a run, FLEET_STACKS=n)
	FLEET=full $(BIN)/pytest -q --log-cli-level=INFO tests/fleet

corpus: $(READY) ## recreate the plans and states of tests/corpus with the real Terraform (STACKS="a b": only these; 2 minutes each)
	$(BIN)/python scripts/corpus.py $(STACKS)

clean: ## stop local clouds and remove everything that was installed or created here
	@if [ -x $(BIN)/orchestrate ] && [ -d .orchestrate/local ]; then \
	  for name in .orchestrate/local/*; do $(BIN)/orchestrate local down --name "$${name##*/}" || true; done; fi
	rm -rf $(VENV) .tools .orchestrate .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find orchestrator tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
