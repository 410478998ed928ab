# Two commands do everything: `make serve` and `make test`. Each installs what it needs into .venv.

PYTHON ?= python3
CORPUS ?=
ARGS ?=
# One more index to find the torch wheel in: PyTorch's own list a CPU and several CUDA builds.
TORCH_INDEX_URL ?=
TORCH_CPU_INDEX_URL := https://download.pytorch.org/whl/cpu

COMMA := ,
VENV := .venv
BIN := $(VENV)/bin
# The first torch of the range that pyproject.toml allows, so that none brings other bits or another
# download by itself; Python 3.15 has a wheel of the newest only.
TORCH_RANGE := $(shell sed -n 's/.*"\(torch>=[^"]*\)".*/\1/p' pyproject.toml)
TORCH := '$(subst >=,==,$(firstword $(subst $(COMMA), ,$(TORCH_RANGE)))); python_version < "3.15"' \
	'$(TORCH_RANGE); python_version >= "3.15"'
INSTALL := $(BIN)/pip install --quiet
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Test modules side by side on two cores: a third process works while others wait for services. Each
# keeps to one thread, and where a test wants several these do not spin for each other. In the order
# of tests/conftest.py: by their number of tests, as xdist would order modules, those with a few
# long tests come last, and one process is waited for.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -n 3 --dist loadfile \
	--no-loadscope-reorder

# The test modules whose results hang on a CPU's arithmetic: by name, all that compute with a network
# and are not about what surrounds it. ISA is the CPU that oneDNN, torch and numba then take this one for.
NUMERIC := $(addprefix tests/,test_model_*.py test_training_*.py test_service_engine*.py \
	test_service_score.py test_service_inspect.py test_docs_examples.py test_end_to_end.py \
	test_verse_golden.py)
ISA ?= ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2

.PHONY: help setup serve train generate test test-avx2 lowest check format bench docker clean modules

help:  ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

GOALS ?= $(MAKECMDGOALS)
# What is about to be fetched, said while there is still time to choose.
ifdef TORCH_INDEX_URL
TORCH_SIZE := from $(TORCH_INDEX_URL): 0.2 GB if that is the CPU build
else ifeq ($(shell uname -s),Linux)
TORCH_SIZE := about 3 GB (5 GB on disk), since PyPI's build brings CUDA; for the CPU build, 0.2 GB, \
	stop here (Ctrl-C) and run: make $(GOALS) TORCH_INDEX_URL=$(TORCH_CPU_INDEX_URL)
else
TORCH_SIZE := about 0.1 GB
endif

# A stamp a set of extras; a changed pyproject.toml installs again.
%/.torch: pyproject.toml
	@test -x $*/bin/python || $(PYTHON) -m venv $*
	@$*/bin/pip show --quiet torch 2>/dev/null || echo "fetching torch into $*: $(TORCH_SIZE)"
	@$*/bin/pip install $(if $(TORCH_INDEX_URL),--extra-index-url $(TORCH_INDEX_URL)) $(TORCH)
	@touch $@

$(VENV)/.serve: $(VENV)/.torch
	@echo "installing what else the service needs into $(VENV), about 0.1 GB ..."
	@$(INSTALL) --editable .
	@# On the other core meanwhile, so that the first start has nothing to compile.
	@{ $(BIN)/python -m model.decoding && $(BIN)/python -m verse.composer; } & $(INSTALL) --editable '.[serve]' && wait $$!
	@touch $@

$(VENV)/.train: $(VENV)/.serve
	@$(INSTALL) --editable '.[train,texts]'
	@touch $@

$(VENV)/.all: $(VENV)/.train
	@$(INSTALL) --editable '.[all]'
	@touch $@

setup: $(VENV)/.all  ## Install everything, for development

serve: $(VENV)/.serve  ## Serve the checkpoint that ships, and those in checkpoints/
	@exec $(BIN)/strophe serve

train: $(VENV)/.train  ## Train a checkpoint: make train CORPUS=my.txt ARGS='--minutes 10'
	@exec $(BIN)/strophe train $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)

generate: $(VENV)/.serve  ## Write to the terminal: make generate ARGS='--prompt "The moon"'
	@exec $(BIN)/strophe generate $(ARGS)

test: check  ## Run every check: format, lint, types, tests
	$(PYTEST) $(ARGS)

test-avx2: $(VENV)/.all  ## Run the numeric tests as on a CPU with AVX2 only, or on another: ISA=
	$(ISA) $(PYTEST) $(NUMERIC) $(ARGS)

lowest: $(VENV)-lowest/.all  ## Run the quick tests with the lowest version of each dependency
	OMP_NUM_THREADS=1 $(VENV)-lowest/bin/pytest -n 2 --dist loadfile -m 'not slow' $(ARGS)

# By uv, since pip knows no lowest versions. torch first, as above: it is the lowest of its range.
$(VENV)-lowest/.all: pyproject.toml
	@rm -rf $(@D)
	@$(MAKE) --no-print-directory $(@D)/.torch GOALS=lowest
	@$(@D)/bin/pip install --quiet uv
	$(@D)/bin/uv pip install --python $(@D)/bin/python --resolution lowest-direct --editable '.[all]'
	@touch $@

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
	rm -rf $(VENV) $(VENV)-lowest .mypy_cache .pytest_cache .ruff_cache .hypothesis ./*.egg-info
