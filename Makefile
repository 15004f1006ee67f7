# Everything a contributor or user does here. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BUILD_TYPE ?= RelWithDebInfo
PREFIX ?= /usr/local
ARGS ?=
# What needs network namespaces runs in a user namespace of its own unless we are root.
ISOLATED := $(if $(filter 0,$(shell id -u)),,unshare --user --map-root-user --net --mount)
NATIVE := build/native
JOBS := $(shell nproc)
APT_BUILD := cmake g++ pkg-config libsodium-dev libssl-dev libseccomp-dev nlohmann-json3-dev doctest-dev
APT_RUN := iproute2 nftables iputils-ping iperf3 tcpdump socat curl bind9-dnsutils dnsmasq-base
APT_TEST := ?podman ?containernetworking-plugins ?docker.io ?docker-compose ?busybox-static ?etcd-server ?prometheus ?chromium ?mandoc ?zsh ?fish ?bash-completion
# What only the long tests need.
APT_TEST += $(if $(WEFT_LONG),?mmdebstrap ?lintian ?systemd)
APT_CHECK := clang clang-tidy clang-format libclang-rt-14-dev
APT_BENCH := wireguard-go wireguard-tools fastd tinc nebula
REFERENCE_SOURCES := $(wildcard scripts/reference/*.ts)
NATIVE_SOURCES := package.json $(shell find native -type f \( -name '*.cc' -o -name '*.h' -o -name '*.in' -o -name '*.cmake' -o -name CMakeLists.txt \))
TS_SOURCES := $(shell find src demo test/lab -type f -name '*.ts') $(wildcard src/ui/*.html src/ui/*.css src/ui/*.svg)

.PHONY: help
help: ## show the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install system and npm packages (idempotent; apt where there is apt)
	@./scripts/apt-packages $(APT_BUILD) $(APT_RUN) '?libipsec-mb-dev' $(patsubst %,'%',$(APT_TEST))
	@$(MAKE) --silent --no-print-directory node_modules/.installed

node_modules/.installed: package.json package-lock.json
	@./scripts/step 'npm packages' npm ci --no-audit --no-fund
	@touch $@

.PHONY: build
build: setup $(NATIVE)/weft-forwarder dist/.reference build/lab/traffic build/lab/confined ## build the native programs and the daemon

$(NATIVE)/weft-forwarder: $(NATIVE_SOURCES)
	@./scripts/step 'what the native programs need' cmake -S native -B $(NATIVE) -DCMAKE_BUILD_TYPE=$(BUILD_TYPE)
	@./scripts/step 'the native programs' cmake --build $(NATIVE) --target weft-forwarder weft-spawn weft-cni weft-words --parallel $(JOBS)
	@touch $@

build/lab/%: test/lab/native/%.cc
	@mkdir -p $(@D)
	@./scripts/step '$* for tests' $(CXX) -std=c++20 -O2 -Wall -Wextra -Werror -pthread -o $@ $<

dist/.built: $(TS_SOURCES) scripts/bundle.mjs node_modules/.installed
	@./scripts/step 'the daemon and the command' node scripts/bundle.mjs
	@touch $@

dist/.reference: dist/.built $(REFERENCE_SOURCES)
	@./scripts/step 'manual pages and completions' npx tsx scripts/reference/main.ts dist
	@touch $@

.PHONY: demo
demo: build ## three hosts on this machine, containers that talk; ARGS=--once ends by itself
	@$(ISOLATED) node --import tsx demo/main.ts $(ARGS)

.PHONY: launch
launch: build ## launch a router on this host; ARGS are those of `weft launch`
	./bin/weft launch $(ARGS)

.PHONY: test
test: build ## unit tests, native tests, and real routers in network namespaces
	cmake --build $(NATIVE) --parallel $(JOBS)
	$(ISOLATED) ctest --test-dir $(NATIVE) --output-on-failure --parallel 6
	$(ISOLATED) npx vitest run $(ARGS)

.PHONY: check
check: build ## types, lint, format, 10 million operations on the address ring, a minute of fuzzing the daemon, clang-tidy, sanitizers, a short run of each fuzzer
	@./scripts/apt-packages $(APT_CHECK)
	npx tsc -p tsconfig.json
	npx tsc -p src/ui/tsconfig.json
	npx biome check .
	npx tsx bench/ipam/check.ts --operations 10000000
	npx tsx test/fuzz/main.ts --seconds 60
	$(ISOLATED) ./scripts/native-check

.PHONY: chaos
chaos: build ## what happens to hosts, at random, for MINUTES=10; the same again with SEED=N
	$(ISOLATED) npx tsx test/chaos/main.ts --seed "$(SEED)" --minutes "$(MINUTES)"

.PHONY: bench
bench: build ## weft, raw veth, kernel VXLAN, the least there is to do and others' tunnels side by side; ARGS="--nebula PATH" for another of them
	@./scripts/apt-packages $(APT_BENCH)
	cmake --build $(NATIVE) --target tunnel-floor
	npx tsx bench/main.ts $(ARGS)

.PHONY: bench-docker
bench-docker: build ## the start of a container on no network, on Docker's own and on weft's; ARGS="none bridge" for some of them
	npx tsx bench/docker/main.ts $(ARGS)

.PHONY: bench-dns
bench-dns: build ## the DNS server and dnsmasq side by side
	@./scripts/apt-packages dnsperf
	@$(ISOLATED) npx tsx bench/dns/main.ts

.PHONY: sim
sim: node_modules/.installed ## thousands of routers' control planes in one process; ARGS=1000 for one size
	node --expose-gc --max-old-space-size=12288 --import tsx bench/sim/main.ts $(ARGS)

.PHONY: bench-relay
bench-relay: build ## throughput straight and through one relay
	npx tsx bench/relay.ts

.PHONY: bench-many
bench-many: build ## 50 real routers on this machine, and what one costs; ARGS=20 for another number
	npx tsx bench/many.ts $(ARGS)

.PHONY: install
install: build ## install into PREFIX (default /usr/local)
	./scripts/install $(PREFIX)

build/package/weft-forwarder: $(NATIVE_SOURCES)
	cmake -S native -B $(@D) -DCMAKE_BUILD_TYPE=$(BUILD_TYPE) -DWEFT_STATIC=ON
	cmake --build $(@D) --target weft-forwarder weft-spawn weft-cni weft-words --parallel $(JOBS)
	@touch $@

build/package/traffic: test/lab/native/traffic.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O2 -Wall -Wextra -Werror -pthread -static -s -o $@ $<

.PHONY: deb
deb: build build/package/weft-forwarder build/package/traffic ## a package for Debian 12 and 13, Ubuntu 22.04 and 24.04: build/deb/weft_VERSION_ARCHITECTURE.deb
	./scripts/deb build/deb build/package

.PHONY: deb-arm64
deb-arm64: build ## the same for arm64, on another architecture, by Debian's cross compiler
	@./scripts/apt-packages g++-aarch64-linux-gnu mmdebstrap
	./scripts/cross-arm64 build/arm64
	./scripts/deb build/deb build/arm64/native arm64 build/arm64/node

.PHONY: reproducible
reproducible: setup ## make the Debian package of the last commit twice, and compare the bytes
	./scripts/reproducible

.PHONY: npm
npm: build build/package/weft-forwarder ## npm packages: build/npm/weft-router-VERSION.tgz, and one with the native programs of this platform
	./scripts/npm-packages.mjs build/npm $(shell node -p process.arch)=build/package

.PHONY: docker-plugin
docker-plugin: build ## a managed Docker plugin weft:latest of this tree
	./scripts/docker-plugin build/docker-plugin weft:latest

.PHONY: image
image: build ## a container image of this tree, for Docker, Podman and Kubernetes: build/image/weft.tar
	./scripts/image build/image/weft.tar

.PHONY: release
release: ## packages, image, SBOM, notes and checksums of the version in package.json, from a clean tree: build/release/VERSION
	./scripts/release

.PHONY: clean
clean: ## remove what was built
	rm -rf build dist
