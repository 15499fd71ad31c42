# The two main commands: `make demo` runs the main job, `make test` runs all tests. Each installs what it needs.
NODE := scripts/with-node.sh
BIN := node_modules/.bin
# The make of macOS can't keep the outputs of parallel targets apart.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync)

.DEFAULT_GOAL := help
.PHONY: help demo picture test compose-test faults fuzz bench soak check lint types unused format-check subjects audit up down clean install

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | column -t -s '#' 2>/dev/null || grep '##' Makefile

demo: install ## run the whole pipeline against a simulated exchange, without Binance
	@$(NODE) node test/demo/demo.ts

picture: demo ## write docs/images/chart.png, the picture in README, with Chromium
	@$(NODE) node scripts/write-picture.ts

test: ## run the tests, slow faults in turn; ends with `N passed, N failed`
	@scripts/run-tests.sh

compose-test: ## run the main job in containers and kill one of three workers; starts an engine if none runs
	@scripts/compose-test.sh

faults: ## run every fault, including slow ones, and print a table of what the operator saw
	@CDVAULT_FAULTS=all scripts/run-tests.sh test/faults

fuzz: install ## feed a million damaged inputs to each decoder, or as many as 100 minutes allow; goes on where the last run ended
	@nice -n 19 $(NODE) node test/fuzz/main.ts

check: install ## run the compiler, the linter, the format check, knip, and the checks of commit subjects and advisories
	@$(MAKE) --no-print-directory -k -j2 $(SYNC) lint types unused format-check subjects audit

bench: install ## write speed, memory and disk use on this machine to docs/benchmarks.md (up to an hour, on an idle machine)
	@$(NODE) node test/bench/bench.ts

soak: install ## run days of the schedule in about an hour, with faults, against a simulated exchange; goes on where it was stopped (ARGS=--help)
	@$(NODE) node test/soak/soak.ts $(ARGS)

up: install ## start Redis and QuestDB and print their addresses
	@bin/cdvault up

down: install ## stop Redis and QuestDB; data is kept
	@bin/cdvault down

clean: ## stop the test services, delete node_modules and test data (not .cdvault itself, which may hold your data)
	@-[ ! -d node_modules ] || $(NODE) node scripts/stop-test-services.ts
	rm -rf node_modules tools/runtime/node_modules .cdvault/test .cdvault/test-totals .cdvault/compose-test

install:
	@scripts/install-packages.sh

types: install
	@$(NODE) $(BIN)/tsc --noEmit
	@$(NODE) $(BIN)/tsc --noEmit -p src/page

lint: install
	@$(NODE) $(BIN)/oxlint --type-aware --deny-warnings

format-check: install
	@$(NODE) $(BIN)/oxfmt --check

unused: install
	@$(NODE) $(BIN)/knip --cache

subjects: install
	@$(NODE) node scripts/check-subjects.ts

audit: install
	@$(NODE) node scripts/check-audit.ts
