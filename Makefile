# Everything this project does, by name; `make` alone lists it.
#
# Each step first installs what it needs and does not find (scripts/tools), and does nothing when it is up to date:
# cargo judges that for Rust, this file for target/site.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The steps of a target run in the order written, also under -j: they share target/, and cargo uses all cores itself.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules
# cargo would look for make's jobs in there under -j, and warn that it may not have them.
unexport MAKEFLAGS MFLAGS

# The paths below hold whatever the user's own cargo configuration says.
export CARGO_TARGET_DIR := target
# The tests drive the Chromium of the system.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
# Tests wait more than they compute: with two for each core all of them take a third less.
export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
# cargo finds its subcommands (`cargo deny`) on PATH.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

# Never `--all-features`: the server's (ssr, the default) and the browser's exclude each other.
browser := --lib --target wasm32-unknown-unknown --no-default-features --features hydrate

server := target/release/vestibule
wasm := target/wasm32-unknown-unknown/wasm-release/vestibule.wasm
# Written last by scripts/site.mjs, so its time stands for the whole of target/site.
site := target/release/hash.txt

# The benchmark is a package of its own, and no part of the program.
bench := --manifest-path bench/Cargo.toml

.PHONY: help run build size test compile check unit soak e2e test-api test-api-here test-tls test-tls-here test-agent test-agent-here check-deploy screens lighthouse fuzz bench fmt doc audit clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build and start the server
	@$(server)

build: $(site) $(server) ## the release: target/release/vestibule and target/site

size: build ## what a browser loads, packed and not
	@node scripts/size.mjs

test: tools-test tools-unit compile check unit e2e test-api-here test-tls-here test-agent-here ## everything CI asks for: check, unit, build, e2e, test-api, test-tls, test-agent

# Each of the steps that follow finds its part up to date.
compile:
	@scripts/compile

check: tools-lint ## formatting and clippy, for the server and for the browser
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked $(browser) -- -D warnings
	cargo fmt $(bench) --check
	cargo clippy --locked $(bench) --all-targets -- -D warnings

unit: tools-unit ## cargo test (ARGS=... is passed on), then what uses the database once more on PostgreSQL
	cargo test --locked $(ARGS)
	$(if $(ARGS),,TEST_DATABASE=postgres cargo test --locked --test it -- $(foreach room,$(elsewhere),--skip $(room)::))
	$(if $(ARGS),,cargo test --locked $(bench))

# These do not use the database of `TEST_DATABASE`: they start PostgreSQL anyway, or the binary on a file, or need none.
elsewhere := acapy_recordings backplane backup chaos descriptors fuzz house kill kill_points languages migration raw rfc6455 \
	servers sockets spans storm tls traces

soak: tools-unit ## trouble among several servers for long (PEOPLE=5000, CHAOS_SEED=... is passed on)
	CHAOS_PEOPLE=$${PEOPLE:-5000} cargo test --locked --release --test it -- --nocapture chaos::

e2e: tools-test build ## build and the browser tests (ARGS=... is passed on)
	npx --no-install playwright test $(ARGS)

test-api: tools-api build ## calls the API as its document says, and otherwise: Schemathesis (ARGS=... is passed on)
	scripts/api $(ARGS)

# In `make test`: a machine that cannot have Schemathesis says so, and does without.
test-api-here: build
	@status=0; scripts/tools api || status=$$?; case $$status in \
	0) scripts/api ;; \
	3) echo "SKIPPED: the API by its document, see the line above" ;; \
	*) exit $$status ;; esac

test-tls: tools-tls build ## the browser tests through nginx with TLS (ARGS=... is passed on)
	scripts/tls $(ARGS)

# In `make test`: a machine that cannot have nginx says so, and does without.
test-tls-here: build
	@status=0; scripts/tools tls || status=$$?; case $$status in \
	0) scripts/tls ;; \
	3) echo "SKIPPED: the browser tests through nginx with TLS, see the line above" ;; \
	*) exit $$status ;; esac

agent_tests := npx --no-install playwright test --config end2end/agent/playwright.config.ts

test-agent: tools-test tools-agent build ## a real agent and real wallets: ACA-Py and Credo (ARGS=... is passed on)
	$(agent_tests) $(ARGS)

# In `make test`: a machine that cannot have the agent says so, and does without.
test-agent-here: build
	@status=0; scripts/tools agent || status=$$?; case $$status in \
	0) $(agent_tests) ;; \
	3) echo "SKIPPED: the tests with a real agent and real wallets, see the line above" ;; \
	*) exit $$status ;; esac

check-deploy: tools-deploy ## what is in deploy/, by the validators of the tools it is for
	@scripts/deploy-check

screens: tools-test build ## a picture of every state: docs/screens
	npx --no-install playwright test --config end2end/screens/playwright.config.ts

lighthouse: tools-test build ## what Lighthouse says of the pages: docs/lighthouse.md
	node scripts/lighthouse.mjs

fuzz: tools-lint ## many more of the random bodies and calls that cargo test makes a few of (CASES=20000)
	PROPTEST_CASES=$${CASES:-20000} cargo test --locked --test it fuzz::

bench: build ## measure beside others, on two cores to itself (ARGS=... is passed on: --help, --quick, --write)
	scripts/bench $(ARGS)

fmt: tools-lint ## format the Rust code
	cargo fmt
	cargo fmt $(bench)

doc: tools-lint ## the code's documentation: target/doc/vestibule
	cargo doc --locked --no-deps --document-private-items

audit: ## licences, advisories and sources of the dependencies (needs cargo-deny)
	@if command -v cargo-deny >/dev/null; then cargo deny check; \
	else echo "audit skipped: no cargo-deny; install it with: cargo install cargo-deny --locked --root .tools"; fi

clean: ## remove what was built; the tools in .tools and node_modules stay
	rm -rf target test-results playwright-report

# tools-lint, tools-build, tools-test, tools-tls, tools-agent, tools-api, tools-deploy
tools-%: FORCE
	@scripts/tools $*

# cargo leaves the file and its time alone when nothing changed; then the site is left alone too.
# As a cdylib alone: for one that is made beside an rlib, cargo leaves out the optimization of the whole, without a word.
$(wasm): FORCE | tools-build
	cargo rustc --locked --profile wasm-release $(browser) --crate-type cdylib

$(server): FORCE | tools-build
	cargo build --locked --release --bin vestibule

# The directories themselves are in the list (find without -type): their time changes when a file is removed.
$(site): $(wasm) scripts/site.mjs package-lock.json target/site/pkg $(shell find style public 2>/dev/null) | tools-build
	node scripts/site.mjs

# Somebody removed target/site: a new directory is younger than hash.txt, so the site is made again.
target/site/pkg:
	@mkdir -p $@
