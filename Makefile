# The only door. Every target says what it does in its `##` comment; `make` alone prints them.

PYTHON ?= python3
TOOLS := .local/tools
FUNCTION ?=
EVENT ?=
TRIGGER ?=
BENCH ?=
SEEDS ?=
SEED ?=
ONLY :=
STACK :=
YES :=
RELEASE :=

# What the caller has set for another Python stays out.
export PYTHONPATH := $(CURDIR)/local
export PYTHONNOUSERSITE := 1
unexport PYTHONHOME PYTHONSTARTUP

.DEFAULT_GOAL := help
.PHONY: help machine run watch stop status test simulate faults build deploy check new invoke logs bench pictures map clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

machine:
	@$(PYTHON) local/machine.py $(if $(RELEASE)$(filter test,$(MAKECMDGOALS)),release)

run: machine ## build, start a local AWS, deploy, send traffic through every route and show what happened; RELEASE=1 for what AWS gets
	@$(PYTHON) local/stack.py up --dir .local/run --prefer-familiar-port $(if $(RELEASE),,--debug)
	@ln -sfn run/stack.json .local/stack.json && ln -sfn run/stack.env .local/stack.env
	@$(TOOLS)/ministack/bin/python -m demo

watch: machine ## beside `make run`: put each change into the running stack as it is saved
	@test -x $(TOOLS)/ministack/bin/python || { echo "no stack is up; \`make run\` starts one" >&2; exit 1; }
	@$(TOOLS)/ministack/bin/python local/watch.py --dir .local/run

stop: ## end the local AWS that `make run` started
	@$(PYTHON) local/stack.py down --dir .local/run
	@rm -f .local/stack.json .local/stack.env

status: ## say whether the local AWS runs, where, and what is in it
	@$(PYTHON) local/stack.py status --dir .local/run

test: machine ## run everything: format, lints, docs, unit tests, end to end on a local AWS of its own; ONLY="unit tests,lints" for some of it
	@$(PYTHON) -m checks.test --only "$(ONLY)"

build: machine ## build the functions for this machine as AWS gets them
	@$(PYTHON) local/build.py

deploy: machine ## build for AWS and deploy to your account; STAGE=prod for the other stage, CI=true asks nothing
	@$(PYTHON) local/tools.py
	PATH="$(CURDIR)/$(TOOLS)/build/bin:$(CURDIR)/$(TOOLS)/sam/bin:$$PATH" sam build $(if $(filter-out dev,$(STAGE)),--config-env $(STAGE))
	PATH="$(CURDIR)/$(TOOLS)/sam/bin:$$PATH" sam deploy $(if $(filter-out dev,$(STAGE)),--config-env $(STAGE)) $(if $(CI),--no-confirm-changeset) \
		|| $(TOOLS)/sam/bin/python local/why.py --stage "$(or $(STAGE),dev)"

check: ## send real traffic through the stack in your account, and remove it again: STAGE=dev, a few cents; prod wants YES=1
	@test -x $(TOOLS)/ministack/bin/python || $(PYTHON) local/tools.py
	@$(TOOLS)/ministack/bin/python -m demo.check --stage "$(or $(STAGE),dev)" --stack "$(STACK)" $(if $(filter 1,$(YES)),--yes)

new: machine ## make a function, with its place in template.yaml: FUNCTION=receipt-writer TRIGGER=queue, or topic, bucket, schedule, stream
	@$(PYTHON) local/new.py --function "$(FUNCTION)" --trigger "$(TRIGGER)"

invoke: machine ## run one event through one function: FUNCTION=sns-logger EVENT=events/sns/notification.json
	@$(PYTHON) local/invoke.py --function "$(FUNCTION)" --event "$(EVENT)"

logs: ## follow what the local functions log; FUNCTION=sqs-worker for only one
	@test -x $(TOOLS)/ministack/bin/python || $(PYTHON) local/tools.py
	@$(TOOLS)/ministack/bin/python local/logs.py --function "$(FUNCTION)"

simulate: ## live through seeds of the simulated AWS and check every promise: SEEDS=2000, or SEED=7 for one with its timeline
	@cargo run --quiet --profile simulation -p simulation -- $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000))

bench: machine ## measure start, warm answers, memory, growth and requests beside a bare echo; BENCH=--quick for a rough look
	@$(PYTHON) local/bench.py $(BENCH)

pictures: machine ## make the pictures and screens of the documents, from runs on a local AWS of its own
	@$(PYTHON) local/tools.py pictures ministack
	@$(TOOLS)/pictures/bin/python local/pictures.py

faults: ## put old faults back, one at a time, and show within how many seeds the simulation finds each
	@$(PYTHON) simulation/faults.py

map: ## draw the map of the house in CONTRIBUTING.md from the code
	@$(PYTHON) local/map.py

clean: stop ## end the local AWS and remove all that was built or installed
	rm -rf .local .aws-sam target
