# `make dev` and `make test` set up what they need; a second run repeats nothing that is still good.
PORT ?= 8787
STATE ?= .wrangler/state
SCHEDULES ?= 2000
# LIMITS='{}' turns the rate limits on.
LIMITS ?=
# Of make deploy: production or staging, where D1 is to be (weur, enam, ...), and whether there is an archive.
ENV ?= production
LOCATION ?=
ARCHIVE ?= on

# Node 22 of package-lock.json before whatever Node the machine has: wrangler and vitest ask for it.
# Last where rustup puts cargo: a shell that is older than Rust on this machine does not know it.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH):$(HOME)/.cargo/bin
export WRANGLER_SEND_METRICS := false
# With the banner goes a look at the registry for a newer version.
export WRANGLER_HIDE_BANNER := true

# Folders are listed as well, so that a deleted file counts as a change.
SOURCES := docs/openapi.json Cargo.toml Cargo.lock rust-toolchain.toml dev/build.sh dev/esbuild.sh dev/strip_names.mjs dev/tools.sh package-lock.json \
  $(shell find src analytics durable_objects queues links tag)

PAGE := $(shell find dashboard) package-lock.json

.PHONY: help dev serve demo test build check fmt sim bench-check deploy rollback clean setup
.DEFAULT_GOAL := build

help: ## what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

dev: build ## serve everything on http://127.0.0.1:8787; PORT=9000, STATE=folder, LIMITS='{}'
	@exec node dev/serve.mjs --port "$(PORT)" --state "$(STATE)" $(if $(LIMITS),--limits '$(LIMITS)')

serve: build ## the same for visitors from elsewhere, behind a proxy: docs/self-hosting.md
	@exec node dev/serve.mjs --public --port "$(PORT)" --state "$(STATE)"

demo: build ## fill the state of `make dev` with 90 days of traffic to look at
	@exec node dev/demo.mjs --port "$(PORT)" --state "$(STATE)"

test: setup ## every check and every test, natively and in workerd
	@dev/test.sh

# A release has them in it, and is taken as it is: for `make serve` and `make deploy` it needs no Rust.
BUILT := $(if $(wildcard build/.release),setup,build/.built build/.page)

build: $(BUILT) ## the release wasm, its JavaScript entry and the dashboard, in build/

# The stamp carries the time at which the build began: a file saved meanwhile is newer.
build/.built: $(SOURCES) | setup
	@dev/build.sh

build/.page: $(PAGE) | setup build/.built
	@vite build --config dashboard/vite.config.mjs && vite build --config dashboard/reference/vite.config.mjs && touch $@

setup: ## install what the rest needs; each of them does it by itself
	@dev/setup.sh

check: setup ## what `make test` checks without building the wasm
	@dev/test.sh format arrows page client crates lint

fmt: ## rustfmt
	@cargo fmt --all

sim: ## the pipeline simulation over SCHEDULES=1000000 schedules
	SCHEDULES=$(SCHEDULES) cargo test --release -p native simulation -- --nocapture

bench-check: setup ## instructions of each native part, beside bench/instructions.json; wants valgrind
	@node bench/instructions.mjs $(BENCH)

deploy: setup ## create what the account lacks, migrate, deploy; ENV=staging, DRY=1 only says what it would do, ARCHIVE=off
	@node dev/deploy.mjs --env "$(ENV)" --archive "$(ARCHIVE)" $(if $(LOCATION),--location "$(LOCATION)") $(if $(DRY),--dry-run)

rollback: setup ## back to what ran before, or to VERSION; ENV=staging
	@node dev/deploy.mjs rollback $(VERSION) --env "$(ENV)" $(if $(DRY),--dry-run)

clean: ## what was built; installed tools and the state of `make dev` stay
	rm -rf build target
