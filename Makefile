# Two commands matter: `make demo` runs the main job, `make test` proves it. Each installs what it needs.
NODE := scripts/with-node.sh
BIN := node_modules/.bin
# The make of macOS can't keep the outputs of parallel targets apart.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

.DEFAULT_GOAL := help
.PHONY: help demo test compose-test faults bench check lint types unused format-check subjects up down clean install

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | column -t -s '#' 2>/dev/null || grep '##' Makefile

demo: install ## the whole pipeline against a simulated exchange: no network needed
	@$(NODE) node test/demo/demo.ts

test: ## every test; ends with `N passed, N failed`
	@scripts/run-tests.sh

compose-test: ## the main job in containers, one of three workers killed; brings an engine up where none runs
	@scripts/compose-test.sh

faults: ## every fault, the slow ones too, and a table of what the operator saw
	@CDVAULT_FAULTS=all scripts/run-tests.sh test/faults

check: install ## compiler, linter, formatter, unused code, commit subjects: two at a time
	@$(MAKE) --no-print-directory -k -j2 $(SYNC) lint types unused format-check subjects

bench: install ## speed, memory and disk on this machine, into docs/benchmarks.md (a quarter of an hour and more, on a quiet machine)
	@$(NODE) node test/bench/bench.ts

up: install ## start Redis and QuestDB and print where they are
	@bin/cdvault up

down: install ## stop them; data is kept
	@bin/cdvault down

clean: ## stop the test services, delete node_modules and test data (never .cdvault itself: it may hold your data)
	@-[ ! -d node_modules ] || $(NODE) node scripts/stop-test-services.ts
	rm -rf node_modules tools/runtime/node_modules .cdvault/test .cdvault/test-totals .cdvault/compose-test

install:
	@scripts/install-packages.sh

types: install
	@$(NODE) $(BIN)/tsc --noEmit

lint: install
	@$(NODE) $(BIN)/oxlint --type-aware --deny-warnings

format-check: install
	@$(NODE) $(BIN)/oxfmt --check

unused: install
	@$(NODE) $(BIN)/knip --cache

subjects: install
	@$(NODE) node scripts/check-subjects.ts
