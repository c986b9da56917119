# Targets that bring a stack to life. In your Makefile:
#
#   ORCHESTRATE_DIRECTORY = infrastructure     # where your Terraform is
#   include path/to/hooks/orchestrate.mk
#
# then `make apply`, `make status TENANT=customer-a`, `make apply YES=1`; `make orchestrate-help` lists everything.
# Where a name is taken, set a prefix *before* the include: with ORCHESTRATE_PREFIX = stack- it is `make stack-apply`.

ORCHESTRATE ?= orchestrate
ORCHESTRATE_PREFIX ?=
ORCHESTRATE_DIRECTORY ?= terraform
# As Terraform sees it from its directory.
ORCHESTRATE_VAR_FILE ?=
# Anything else for every command (--profile prod --json).
ORCHESTRATE_FLAGS ?=

ORCHESTRATE_MK := $(lastword $(MAKEFILE_LIST))

# For steps alone, and for what also runs Terraform.
orchestrate_steps = --chdir '$(ORCHESTRATE_DIRECTORY)' $(foreach tenant,$(TENANT),--tenant '$(tenant)') $(ORCHESTRATE_FLAGS)
orchestrate_stack = $(orchestrate_steps) $(if $(ORCHESTRATE_VAR_FILE),-var-file='$(ORCHESTRATE_VAR_FILE)')

# "There is work to do" is an answer, not an error.
orchestrate_or_pending = || [ $$? -eq 6 ]

.PHONY: $(foreach target,apply plan run status doctor backup,$(ORCHESTRATE_PREFIX)$(target)) orchestrate-help

# First, so that a bare `make` with nothing before the include lists targets and changes nothing.
orchestrate-help: ## this list
	@sed -n 's/^\($$(ORCHESTRATE_PREFIX)\)\{0,1\}\([a-z-]*\):.*## \(.*\)/\1\2	\3/p' '$(ORCHESTRATE_MK)' | \
	  sed 's/^$$(ORCHESTRATE_PREFIX)/$(ORCHESTRATE_PREFIX)/' | awk -F '\t' '{ printf "  make %-18s %s\n", $$1, $$2 }'

$(ORCHESTRATE_PREFIX)apply: ## terraform apply, then everything until the sites answer (YES=1: without asking)
	$(ORCHESTRATE) apply $(orchestrate_stack) $(if $(YES),--auto-approve)

$(ORCHESTRATE_PREFIX)plan: ## what apply would do; changes nothing
	$(ORCHESTRATE) plan $(orchestrate_stack) $(orchestrate_or_pending)

$(ORCHESTRATE_PREFIX)run: ## the steps after terraform apply alone (TENANT="a b": for these only)
	$(ORCHESTRATE) run $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)status: ## what each step sees now; changes nothing
	$(ORCHESTRATE) status $(orchestrate_steps) $(orchestrate_or_pending)

$(ORCHESTRATE_PREFIX)doctor: ## what is wrong, why, and what to do about it
	$(ORCHESTRATE) doctor $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)backup: ## keep database, files, index and settings outside the stack, verified
	$(ORCHESTRATE) backup --chdir '$(ORCHESTRATE_DIRECTORY)' $(ORCHESTRATE_FLAGS)
