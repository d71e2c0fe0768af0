# Two commands do all the set-up on a fresh Debian 12 with Swift 6.3: `make run` and `make test`.

.PHONY: help run build test bench lint test-programs clean
JOBS ?= 2

help:
	@echo 'make run     install what is missing, build, trace a demo for a few seconds (as root)'
	@echo 'make test    install what is missing, build, lint, run every test'
	@echo 'make bench   measure, side by side with other tracers (as root; Benchmarks/run --list)'
	@echo 'make build   release build: .build/release/utrace'
	@echo 'make lint    format, imports, where unsafe code may be'
	@echo 'make clean   remove .build'

run:
	Scripts/install-dependencies build run
	Scripts/build-release -j $(JOBS)
	$(MAKE) --no-print-directory -s -C TestPrograms querydemo
	Scripts/run-demo

build:
	Scripts/install-dependencies build
	Scripts/build-release -j $(JOBS)

test:
	Scripts/check

bench:
	Scripts/install-dependencies build run bench
	Scripts/build-release -j $(JOBS)
	Benchmarks/run

lint:
	Scripts/lint

test-programs:
	$(MAKE) -C TestPrograms

clean:
	rm -rf .build
