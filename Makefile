# Two commands do everything: `make serve` and `make test`. Each installs what it needs into .venv.

PYTHON ?= python3
CORPUS ?=
ARGS ?=
# One more index to find the torch wheel in: PyTorch's own list a CPU and several CUDA builds.
TORCH_INDEX_URL ?=

VENV := .venv
BIN := $(VENV)/bin
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
# Test modules side by side, so each process keeps to one core, and where a test wants several
# threads these do not spin for each other. By name: by their number of tests, as xdist would order
# them, those with a few long tests come last, and one process waits for the other.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -n 2 --dist loadfile \
	--no-loadscope-reorder

# The test modules whose results hang on a CPU's arithmetic: by name, all that compute with a network
# and are not about what surrounds it. ISA is the CPU that oneDNN, torch and numba then take this one for.
NUMERIC := $(addprefix tests/,test_model_*.py test_training_*.py test_service_engine*.py \
	test_service_score.py test_service_inspect.py test_docs_examples.py test_end_to_end.py)
ISA ?= ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 NUMBA_CPU_NAME=haswell

.PHONY: help setup serve train generate test test-avx2 check format bench docker clean modules

help:  ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

# A stamp a set of extras; a changed pyproject.toml installs again.
$(VENV)/.serve: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(INSTALL) $(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL)) '$(TORCH)'
	@$(INSTALL) --editable '.[serve]'
	@touch $@

$(VENV)/.train: $(VENV)/.serve
	@$(INSTALL) --editable '.[train]'
	@touch $@

$(VENV)/.all: $(VENV)/.train
	@$(INSTALL) --editable '.[all]'
	@touch $@

setup: $(VENV)/.all  ## Install everything, for development

serve: $(VENV)/.serve  ## Serve the checkpoint that ships, and those in checkpoints/
	@exec $(BIN)/python -m service

train: $(VENV)/.train  ## Train a checkpoint: make train CORPUS=my.txt ARGS='--minutes 10'
	@exec $(BIN)/python -m training train $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)

generate: $(VENV)/.serve  ## Write to the terminal: make generate ARGS='--prompt "The moon"'
	@exec $(BIN)/python -m model generate $(ARGS)

test: check  ## Run every check: format, lint, types, tests
	$(PYTEST) $(ARGS)

test-avx2: $(VENV)/.all  ## Run the numeric tests as on a CPU with AVX2 only, or on another: ISA=
	$(ISA) $(PYTEST) $(NUMERIC) $(ARGS)

check: $(VENV)/.all  ## Run format, lint and type checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.all  ## Put the code into format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

modules:  ## Write docs/modules.md anew, from the docstrings
	@$(PYTHON) docs/list_modules.py

bench: $(VENV)/.all  ## Measure the engine and the service beside plain loops, some minutes
	$(BIN)/python benchmarks/bench_engine.py
	$(BIN)/python benchmarks/bench_service.py

docker:  ## Build the container image
	docker build --tag strophe $(if $(TORCH_INDEX_URL),--build-arg TORCH_INDEX_URL=$(TORCH_INDEX_URL)) .

clean:  ## Remove the virtual environment and caches; runs and checkpoints stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis ./*.egg-info
