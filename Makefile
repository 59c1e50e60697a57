# make help lists what there is.
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# Build servers that outlive the command would hold memory that the measurements need.
export MSBUILDDISABLENODEREUSE := 1
export DOTNET_CLI_USE_MSBUILD_SERVER := 0

bin := artifacts/bin
sources := $(shell find shim router hunter integration/lab Directory.Build.props -type f \( -name '*.cs' -o -name '*.c' -o -name '*.h' -o -name '*.csproj' -o -name '*.props' -o -name '*.targets' -o -name '*.sh' -o -name '*.S' -o -name '*.map' \) -not -path '*/bin/*' -not -path '*/obj/*' 2>/dev/null)
package_sources := $(shell find packaging deb rpm docs README.md SECURITY.md CHANGELOG.md LICENSE -type f)
# Of a tool in tests, $(1): its own, and what it is built from.
tool_sources = $(shell find tests/$(1) integration/lab shim/FreeFlow.Contract router/FreeFlow.Native router/FreeFlow.Yaml -type f -not -path '*/bin/*' -not -path '*/obj/*' 2>/dev/null)
bench_sources := $(call tool_sources,FreeFlow.Bench)
suites_sources := $(call tool_sources,FreeFlow.Suites)
differential_sources := $(call tool_sources,FreeFlow.Differential)
# The debug symbols lie beside the programs, for debuggers and for the packages of symbols.
publish := dotnet publish -c Release -v quiet -p:UseSharedCompilation=false -p:CopyOutputSymbolsToPublishDirectory=true

.PHONY: help setup build packages demo test test-chaos test-suites test-faults test-differential bench size count clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo                  two containers, redis-server and redis-benchmark, plain and under freeflow run, and RDMA without a device'
	@echo 'make test [FILTER=text]    every test, or those with text in their full name'
	@echo 'make test-suites [SUITE=name]  test suites that others wrote for kernel sockets, plain and with FreeFlow: one table (SUITE=list names them)'
	@echo 'make test-faults            ends and router killed, restarted and stopped under load, hostile neighbours, full disks, clocks that jump: FAULT=kill, router,'
	@echo '                           stop, hostile, control, disk, clock or all, COUNT=1000 of them (seconds of hostile and control), SEED=n'
	@echo 'make test-chaos [SECONDS=600] [MEBIBYTES=10240] [SEED=n]  streams and questions between two hosts while routers, hunters and etcd are killed and links cut'
	@echo 'make test-differential [SEED=n] [COUNT=n] [TIMES=n] [MINUTES=n] [ROAD=name]  random programs of socket calls, kernel against ring (docs/testing.md)'
	@echo 'make bench [CASE=name]     every measurement against its target, or one (CASE=list names them);'
	@echo '                           BENCH_RUNS=5 and BENCH_SECONDS=2 set runs and length; '
	@echo '                           CASE=two-hosts: overlay, host TCP and fabric; rate: how exact the policy'"'"'s rates are; scale: 100,000 addresses in etcd'
	@echo 'make size                  10,000 connections, 200 processes: memory, descriptors, CPU, beside the kernel'"'"'s own'
	@echo 'make count [RECORD=1]      instructions of single calls, beside those on record (or make them the record)'
	@echo 'make build                 the programs and libraries, into $(bin)'
	@echo 'make packages              a deb and an rpm, and their debug symbols, into artifacts/packages'
	@echo 'make setup                 installs the packages that are missing (the others do this by themselves)'
	@echo 'make clean                 removes everything that was built'

setup: artifacts/.setup
artifacts/.setup: scripts/setup.sh
	@mkdir -p artifacts
	@scripts/setup.sh
	@touch $@

build: artifacts/.build
artifacts/.build: artifacts/.setup $(sources)
	@mkdir -p $(bin)
	@echo 'build: freeflow-router'
	@$(publish) router/FreeFlow.Router -o $(bin)
	@echo 'build: freeflow'
	@$(publish) router/FreeFlow.Cli -o $(bin)
	@echo 'build: freeflow-hunter'
	@$(publish) hunter/FreeFlow.Hunter -o $(bin)
	@echo 'build: libfreeflow.so, libfreeflow-core.so'
	@shim/build.sh $(bin)
	@touch $@

packages: artifacts/.packages
artifacts/.packages: artifacts/.build $(package_sources)
	@mkdir -p artifacts/packages
	@rm -f artifacts/packages/*.deb artifacts/packages/*.rpm
	@packaging/stage.sh $(bin) artifacts/packages/tree artifacts/packages/symbols
	@deb/build.sh artifacts/packages/tree artifacts/packages/symbols artifacts/packages
	@rpm/build.sh artifacts/packages/tree artifacts/packages/symbols artifacts/packages
	@ls -1 artifacts/packages/*.deb artifacts/packages/*.rpm
	@touch $@

artifacts/.bench: artifacts/.setup $(bench_sources) Directory.Build.props
	@echo 'build: freeflow-bench'
	@dotnet build -c Release -v quiet -p:UseSharedCompilation=false tests/FreeFlow.Bench -o artifacts/bench
	@mkdir -p artifacts/bench
	@gcc -O2 -Wall -Wextra -Werror -o artifacts/bench/probe tests/FreeFlow.Bench/native/*.c -lpthread
	@touch $@

demo: artifacts/.build artifacts/.bench
	@artifacts/bench/freeflow-bench demo

bench: artifacts/.build artifacts/.bench
	@artifacts/bench/freeflow-bench bench $(CASE)

size: artifacts/.build artifacts/.bench
	@artifacts/bench/freeflow-bench size

count: artifacts/.build artifacts/.bench
	@artifacts/bench/freeflow-bench count $(if $(RECORD),--record)

test-chaos: artifacts/.build
	@FREEFLOW_CHAOS_SECONDS='$(or $(SECONDS),600)' FREEFLOW_CHAOS_MEBIBYTES='$(or $(MEBIBYTES),10240)' FREEFLOW_CHAOS_SEED='$(SEED)' \
		dotnet test tests/FreeFlow.EndToEnd.Tests -c Release --nologo -v quiet --filter FullyQualifiedName~ChaosTests --logger 'console;verbosity=detailed'

artifacts/.format: $(shell find shim router hunter integration tests -name '*.cs' -not -path '*/bin/*' -not -path '*/obj/*') .editorconfig
	@echo 'check: .editorconfig'
	@dotnet format whitespace --folder . --exclude artifacts --verify-no-changes
	@mkdir -p artifacts && touch $@

artifacts/.tidy: artifacts/.build $(wildcard shim/native/*.c shim/native/*.h) shim/native/.clang-tidy
	@echo 'check: clang-tidy'
	@find shim/native -name '*.c' -print0 | xargs -0 -n 4 -P 2 sh -c 'clang-tidy --quiet "$$@" -- -std=gnu11 -Iartifacts/obj/exports -Ishim/native 2>/dev/null' sh
	@touch $@

test: artifacts/.build artifacts/.packages artifacts/.bench artifacts/.format artifacts/.tidy
	@FILTER='$(FILTER)' scripts/test.sh

artifacts/.suites: artifacts/.setup $(suites_sources) Directory.Build.props
	@echo 'build: freeflow-suites'
	@dotnet build -c Release -v quiet -p:UseSharedCompilation=false tests/FreeFlow.Suites -o artifacts/suites/bin
	@touch $@

test-faults: artifacts/.build
	@unshare --net --pid --ipc --fork --mount-proc sh -c 'ip link set lo up && exec /usr/bin/python3 tests/FreeFlow.EndToEnd.Tests/programs/faults/faults.py "$$@"' sh '$(or $(FAULT),all)' '$(COUNT)' '$(SEED)'

test-suites: artifacts/.build artifacts/.suites
	@artifacts/suites/bin/freeflow-suites $(SUITE)

artifacts/.differential: artifacts/.setup $(differential_sources) Directory.Build.props
	@echo 'build: freeflow-differential'
	@dotnet build -c Release -v quiet -p:UseSharedCompilation=false tests/FreeFlow.Differential -o artifacts/differential
	@touch $@

test-differential: artifacts/.build artifacts/.differential
	@artifacts/differential/freeflow-differential $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(if $(TIMES),--times $(TIMES)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ROAD),--road $(ROAD)) $(if $(PROGRAM),--program $(PROGRAM))

clean:
	@rm -rf artifacts
	@find shim router hunter tests integration -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
	@echo 'clean: artifacts, bin and obj are gone'
