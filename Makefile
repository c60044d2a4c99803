# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:01:12Z
# Spec: openspec/specs/repository/spec.md#requirement-two-commands
# Diagram: openspec/specs/repository/diagram.md#from-change-to-green

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
CACHE := $(or $(PACKER_HYBRID_CACHE),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/packer-hybrid)
BIN := $(CACHE)/bin
PACKER := packer packer-plugin-vsphere packer-plugin-ansible lab-plugins packer-hybrid-rpc
MODULES := . plugins
PIPELINES := act gitlab-ci-local debian-base
# Servers that the state is kept at in tests: stand-ins for S3 and Google's, and with the pipelines others.
SERVERS := gofakes3 fake-gcs-server
MORESERVERS := azurite versitygw
TESTFLAGS ?=

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

.PHONY: build
build: ## Build bin/packer-hybrid, and its programs beside it (the default)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github.com/packer-hybrid/packer-hybrid/cmd/internal/cli.version=$(VERSION)" -o bin/ ./cmd/...

.PHONY: demo
demo: ## Build a golden image for three platforms in the lab; REBUILD=1 builds it again
	@tools/debian demo
	@tools/build $(PACKER)
	@$(MAKE) --no-print-directory build
	bin/packer-hybrid lab run -- tools/demo $(if $(REBUILD),--rebuild)

# Tests of whole builds. The race detector would watch the work of Packer and the lab for minutes, and finds a race of
# the vSphere simulator's own now and then (govmomi: a machine that is made, while its host's properties are read).
WHOLE = ./cmd/packer-hybrid ./lab
# Packages with long corpora: without the race detector all of their tests, with it those that are not LONG. Where
# nothing runs beside anything it has nothing to see, and makes minutes of seconds, and time limits twenty times as wide.
CORPORA = ./hybridcore/leaks ./hybridcore/logs/redact ./hybridcore/validate
LONG = ^Test(Bombs|BoundsAreCheap|ChunksEqualReference|DynamicBombs|EscapedValuesCutEverywhere|EscapesAreNotHeldBack|$\
	HeldBytesAreBounded|HostileFiles|NoRunOfASecretIsLeft|ShapesInEscapes|TextBombs|TimeOfHostileFiles)$$
TEST = test -json -shuffle=on -count=1 -timeout 40m $(TESTFLAGS)

# Both halves at once: whole builds wait for their guests. The events of the second are read when the first has ended.
.PHONY: test
test: ## Run every test, all but whole builds and corpora with the race detector; TESTFLAGS adds flags of go test
	@tools/debian test
	@tools/build $(PACKER) $(SERVERS) webhooks
	@$(MAKE) --no-print-directory build
	bin/packer-hybrid lab prepare
	for module in $(MODULES); do go -C $$module vet -tags pipelines ./...; done
	rest=$$(mktemp); trap 'rm -f "$$rest"' EXIT; \
	{ failed=0; go $(TEST) $(WHOLE) $(CORPORA) >"$$rest" & \
	for module in $(MODULES); do \
		go -C $$module $(TEST) -race \
			$$(go -C $$module list ./... | grep -Evx '.*/packer-hybrid/($(subst $() ,|,$(patsubst ./%,%,$(CORPORA) $(WHOLE))))') || failed=1; \
	done; \
	go $(TEST) -race -skip '$(LONG)' $(CORPORA) || failed=1; \
	wait $$! || failed=1; cat "$$rest"; exit $$failed; } | go run ./tools/testsum

.PHONY: test-ci
test-ci: ## Run whole pipelines under act, gitlab-ci-local, buildah and podman
	@tools/debian ci
	@tools/build $(PACKER) $(PIPELINES) $(SERVERS) $(MORESERVERS)
	@$(MAKE) --no-print-directory build
	bin/packer-hybrid lab prepare
	go test -tags pipelines -json -count=1 -timeout 40m $(TESTFLAGS) ./hybridcore/state/bucket/cloud ./tools/pipelines | \
		go run ./tools/testsum

# What takes too long for every change, in parts of at most 60 minutes; PART=N does one of them.
NIGHTLY1 = go test -json -race -shuffle=on -count=1 -timeout 60m ./cmd/packer-hybrid -nightly
NIGHTLY2 = { go test -json -race -count=1 -timeout 60m -run 'TestKilled|TestOutages' ./forge/forges -kills 50 -outage 1m; \
	$(MANY) -run 'TestKilled|TestCrowd|TestSlow' ./hybridcore/state/gitref $(MANYMORE); \
	$(MANY) -run 'TestKilled|TestCrowd' ./hybridcore/state/directory $(MANYMORE); \
	$(MANY) -tags pipelines -run 'TestSuiteOn|TestSlow' ./hybridcore/state/bucket/cloud $(MANYMORE); \
	go test -json -race -count=1 -timeout 60m $(CORPORA); }
MANY = go test -json -race -count=1 -timeout 60m
MANYMORE = -kills 200 -processes 16 -changes 1000 -slow 1m
NIGHTLY3 = { GOOS=darwin CGO_ENABLED=0 go build -o /dev/null ./cmd/packer-hybrid && \
	CGO_ENABLED=0 go -C tools/packer test -json -trimpath -count=1 . && \
	go test -tags pipelines -json -race -count=1 -timeout 60m ./tools/pipelines; }
PART ?= 1 2 3

.PHONY: test-nightly
test-nightly: ## Run what takes too long for every change; PART=1, 2 or 3 runs a part
	@tools/debian ci
	@tools/build $(PACKER) $(PIPELINES) $(SERVERS) $(MORESERVERS)
	@$(MAKE) --no-print-directory build
	bin/packer-hybrid lab prepare
	failed=0; $(foreach part,$(PART),{ $(NIGHTLY$(part)) | go run ./tools/testsum; } || failed=1;) exit $$failed

.PHONY: lint
lint: ## Check Go, Markdown, specs, scripts and workflows
	@tools/debian lint
	@tools/build golangci-lint actionlint zizmor node
	@tools/lint

.PHONY: fmt
fmt: ## Format Go and Markdown
	@tools/build golangci-lint node
	$(BIN)/golangci-lint fmt
	$(BIN)/prettier --log-level warn --write '**/*.md'

.PHONY: bench
bench: ## Measure a promise: make bench NAME=redact; without NAME list them
	@bench/run $(NAME)

.PHONY: pictures
pictures: ## Draw the comments of the golden files to bin/pictures
	@tools/debian picture
	go run ./tools/picture -o bin/pictures checks/report/testdata/*.md
	go run ./tools/picture -open -o bin/pictures/open checks/report/testdata/*.md
	go run ./tools/picture -open -width 380 -o bin/pictures/telephone checks/report/testdata/*.md

.PHONY: tools
tools: ## Build Packer, its plugins, the linters and the lab's root file system into the cache
	@tools/debian demo
	@tools/debian lint
	@tools/build
	@$(MAKE) --no-print-directory build
	bin/packer-hybrid lab prepare

.PHONY: clean
clean: ## Remove what make built here; state and the cache stay
	rm -rf bin artifacts logs
