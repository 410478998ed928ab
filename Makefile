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

.PHONY: help setup serve train generate test check format bench docker clean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

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

# Test modules side by side, so each process keeps to one core.
test: check  ## Run every check: format, lint, types, tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/.all  ## Run format, lint and type checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.all  ## Put the code into format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.all  ## Measure the engine and the service beside plain loops, some minutes
	$(BIN)/python benchmarks/bench_engine.py
	$(BIN)/python benchmarks/bench_service.py

docker:  ## Build the container image
	docker build --tag strophe $(if $(TORCH_INDEX_URL),--build-arg TORCH_INDEX_URL=$(TORCH_INDEX_URL)) .

clean:  ## Remove the virtual environment and caches; runs and checkpoints stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis ./*.egg-info
