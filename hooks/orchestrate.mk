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

# For commands that run only steps, and for those that also run Terraform.
orchestrate_steps = --chdir '$(ORCHESTRATE_DIRECTORY)' $(foreach tenant,$(TENANT),--tenant '$(tenant)') $(ORCHESTRATE_FLAGS)
orchestrate_variables = $(if $(ORCHESTRATE_VAR_FILE),-var-file='$(ORCHESTRATE_VAR_FILE)')
orchestrate_stack = $(orchestrate_steps) $(orchestrate_variables)
# For commands that don't take single tenants.
orchestrate_whole = --chdir '$(ORCHESTRATE_DIRECTORY)' $(ORCHESTRATE_FLAGS)

# "There is work to do" is an answer, not an error.
orchestrate_or_pending = || [ $$? -eq 6 ]

orchestrate_targets := apply plan preflight run status doctor logs tasks shell pause resume backup destroy restore

.PHONY: $(addprefix $(ORCHESTRATE_PREFIX),$(orchestrate_targets)) orchestrate-help

# First, so that a bare `make` with nothing before the include lists targets and changes nothing.
orchestrate-help: ## this list
	@sed -n 's/^\($$(ORCHESTRATE_PREFIX)\)\{0,1\}\([a-z-]*\):.*## \(.*\)/\1\2	\3/p' '$(ORCHESTRATE_MK)' | \
	  sed 's/^$$(ORCHESTRATE_PREFIX)/$(ORCHESTRATE_PREFIX)/' | awk -F '\t' '{ printf "  make %-18s %s\n", $$1, $$2 }'

$(ORCHESTRATE_PREFIX)apply: ## terraform apply, then everything until the sites answer (YES=1: without asking)
	$(ORCHESTRATE) apply $(orchestrate_stack) $(if $(YES),--auto-approve)

$(ORCHESTRATE_PREFIX)plan: ## what apply would do; changes nothing
	$(ORCHESTRATE) plan $(orchestrate_stack) $(orchestrate_or_pending)

$(ORCHESTRATE_PREFIX)preflight: ## check the plan or the running stack against the checklists; changes nothing
	$(ORCHESTRATE) preflight $(orchestrate_whole) $(orchestrate_variables)

$(ORCHESTRATE_PREFIX)run: ## only the steps after terraform apply (TENANT="a b": only for these)
	$(ORCHESTRATE) run $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)status: ## what each step sees now, and one table of all parts (WATCH=1: until everything is up)
	$(ORCHESTRATE) status $(orchestrate_steps) $(if $(WATCH),--watch) $(orchestrate_or_pending)

$(ORCHESTRATE_PREFIX)doctor: ## what is wrong, why, and how to fix it (FIX=1: repair what is safe; BUNDLE=FILE)
	$(ORCHESTRATE) doctor $(orchestrate_steps) $(if $(FIX),--fix) $(if $(YES),--auto-approve) $(if $(BUNDLE),--bundle '$(BUNDLE)')

$(ORCHESTRATE_PREFIX)logs: ## the tenants' logs as one (OF=vespa, SINCE=1h, GREP=ERROR, CONTAINER=api, FOLLOW=1)
	$(ORCHESTRATE) logs $(OF) $(orchestrate_steps) $(if $(SINCE),--since '$(SINCE)') $(if $(GREP),--grep '$(GREP)') \
	  $(if $(CONTAINER),--container '$(CONTAINER)') $(if $(FOLLOW),--follow)

$(ORCHESTRATE_PREFIX)tasks: ## running tasks, and those that stopped recently, with how they ended
	$(ORCHESTRATE) tasks $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)shell: ## a shell on a tenant's Vespa instance (TENANT=a; ON=runner: on the runner)
	$(ORCHESTRATE) shell $(or $(ON),vespa) $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)pause: ## stop what is billed by the hour, keep the data (TENANT=a: its service only; YES=1: without asking)
	$(ORCHESTRATE) pause $(orchestrate_steps) $(if $(YES),--auto-approve)

$(ORCHESTRATE_PREFIX)resume: ## bring a paused stack back as it was
	$(ORCHESTRATE) resume $(orchestrate_steps)

$(ORCHESTRATE_PREFIX)backup: ## back up database, files, index and settings, verified
	$(ORCHESTRATE) backup $(orchestrate_whole)

$(ORCHESTRATE_PREFIX)destroy: ## a verified backup, then terraform destroy (CONFIRM=NAME: the answer to its question)
	$(ORCHESTRATE) destroy $(orchestrate_whole) $(orchestrate_variables) $(if $(CONFIRM),--confirm '$(CONFIRM)')

$(ORCHESTRATE_PREFIX)restore: ## recreate the stack with its data (MANIFEST=…: from this backup, not the newest; YES=1: without asking)
	$(ORCHESTRATE) restore $(MANIFEST) $(orchestrate_whole) $(orchestrate_variables) $(if $(YES),--auto-approve)
