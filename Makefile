# Two commands are the whole set-up: make demo, make test. Only Go, a C compiler (for the race
# detector), Node, git and apt are expected; everything else is fetched or built here.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
BIN := $(CURDIR)/bin
export PATH := $(BIN):$(PATH)
export CGO_ENABLED := 0

# Pinned tools. They are not in go.mod: nothing of ours links them.
GOLANGCI_LINT := v2.15.0
INFLUXD := v1.8.10
# Executions, not seconds: up to Go 1.26 a duration's end can be reported as a failure (go.dev/issue/75804).
FUZZTIME ?= 50000x
BENCH ?= decode,latency,idle,cycles,virtual

.PHONY: all build demo test unit race lint fuzz test-program test-browser bench tools system-parts clean

all: build

build: ## Build the programs into bin/
	go build -o $(BIN)/ ./cmd/...

demo: build ## Two simulated pumps, gateway, broker and page; DEMO_FOR=30s stops by itself
	@go build -o $(BIN)/demo ./gateway/proof/demo
	@exec $(BIN)/demo

test: lint unit race fuzz test-program test-browser ## Everything that CI checks

lint: $(BIN)/golangci-lint-$(GOLANGCI_LINT)
	go mod tidy -diff
	go mod verify
	go vet ./...
	$(BIN)/golangci-lint-$(GOLANGCI_LINT) run ./...

# Tests that start real servers or a browser have targets of their own below.
WHOLE := infusiond/gateway/proof/whole infusiond/gateway/page/browsertest
unit: system-parts $(BIN)/influxd
	go test $$(go list ./... | grep -vxF "$$(printf '%s\n' $(WHOLE))")

race: system-parts $(BIN)/influxd
	CGO_ENABLED=1 go test -race -short $$(go list ./... | grep -vxF "$$(printf '%s\n' $(WHOLE))")

fuzz: ## Every fuzz target for FUZZTIME
	@go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ./... | while read -r pkg dir; do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | sed 's/^func //' | sort -u); do \
	    echo "fuzz $$pkg $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$pkg"; \
	  done; \
	done

test-program: build system-parts $(BIN)/influxd ## The whole program on a real Mosquitto, a real InfluxDB and real ptys
	go test -count=1 ./gateway/proof/whole

test-browser: system-parts ## The page in a real Chromium
	go test -count=1 ./gateway/page/browsertest

bench: build system-parts ## BENCH=decode,latency,idle,cycles,virtual
	@go build -o $(BIN)/bench ./gateway/proof/bench
	@$(BIN)/bench -run '$(BENCH)'

tools: $(BIN)/golangci-lint-$(GOLANGCI_LINT) $(BIN)/influxd system-parts

$(BIN)/golangci-lint-$(GOLANGCI_LINT):
	GOBIN=$(BIN)/tmp go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)
	mv $(BIN)/tmp/golangci-lint $@

$(BIN)/influxd:
	GOBIN=$(BIN) go install -ldflags '-s -w -X main.version=$(INFLUXD:v%=%)' github.com/influxdata/influxdb/cmd/influxd@$(INFLUXD)

# The reference broker and the browser are Debian's.
system-parts:
	@missing=""; \
	{ command -v mosquitto || test -x /usr/sbin/mosquitto; } >/dev/null || missing="$$missing mosquitto"; \
	command -v mosquitto_sub >/dev/null || missing="$$missing mosquitto-clients"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	if [ -n "$$missing" ]; then \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  echo "installing$$missing"; \
	  $$sudo apt-get update -qq; \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

clean:
	rm -rf $(BIN)
