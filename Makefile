# Every verb of the project. `make demo` and `make test` set up all they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
# Many tests wait for a device, a broker or a clock: half as many again as there are cores.
WORKERS ?= $(shell echo $$(( ($$(nproc) * 3 + 1) / 2 )))

.PHONY: demo test lint peers proof bench lock clean setup

setup: $(VENV)/.ready

# Debian splits ensurepip into python3-venv; without it the venv is made bare and pip installs into it from outside.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' || { echo "holdfast needs Python 3.11 to 3.13; set PYTHON=python3.x"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } || { echo "run: sudo apt-get install python3-venv python3-pip"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/python demo $(DEMO_ARGS)

test: setup
	$(BIN)/python -m pytest -n $(WORKERS) -m "not proof" $(TEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Other projects' printer software for tests/drivers/test_printer_peers.py. Never fails: those tests skip without it.
PEERS := out/peers
peers: $(PEERS)/.ready
$(PEERS)/.ready: tests/peers/package-lock.json
	@command -v npm >/dev/null || { echo "peers: no npm here; no other ESC/POS decoder will be asked"; exit 0; }; \
	mkdir -p $(PEERS) && cp tests/peers/package*.json $(PEERS)/ && \
	timeout 120 npm ci --prefix $(PEERS) --ignore-scripts --omit=optional --no-audit --no-fund --fetch-retries=1 --loglevel=error \
	  && touch $@ || echo "peers: npm could not install them; no other ESC/POS decoder will be asked"

proof: setup
	$(BIN)/python -m pytest -m proof -s $(TEST_ARGS)

bench: setup
	$(BIN)/python bench $(BENCH_ARGS)

# One lock for every supported Python; names no index host.
lock:
	uv pip compile pyproject.toml --extra dev --extra demo --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist out
