# make venv | demo | test | bench: each makes what it needs first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: venv contrib triton demo demo-page test lint bench bench-check benchmark soak clean

# The environment: rebuilt where something it was made from is newer, or ROS 2 came or went.
# TORCH: what to ask pip for, say TORCH="torch" on a machine with a GPU; what is there stays.
VENV_STAMP := $(VENV)/.made-$(or $(ROS_DISTRO),pypi)
VENV_INPUTS := setup.py setup.cfg pyproject.toml test/requirements.txt \
	$(shell find ainet_core -name '*.[ch]') \
	$(shell find pip_ros -type f -not -path '*/python/*' -not -name '*.md' -not -name '*.pyc')

venv: $(VENV_STAMP)

$(VENV_STAMP): $(VENV_INPUTS)
	@$(PYTHON) pip_ros/make_venv.py $(VENV) $(if $(TORCH),--torch '$(TORCH)')
	@touch $@

# The tracker node and the demo's source over real DDS, on this machine only. SEQUENCE: a folder
# with visible.mp4, infrared.mp4 and groundtruth*.txt instead of the generated world.
demo: venv
	@$(BIN)/python -m ainet_ros.demo $(if $(SEQUENCE),--sequence '$(SEQUENCE)') $(DEMO)

# The same in a browser on this machine: the scene goes back and forth until Ctrl-C.
demo-page: venv
	@$(BIN)/python -m ainet_ros.demo --page $(if $(SEQUENCE),--sequence '$(SEQUENCE)') $(DEMO)

# OpenCV's trackers beside the environment: its contrib build would take the place of the cv2 there.
CONTRIB := $(VENV)/contrib

contrib: $(CONTRIB)/.made

$(CONTRIB)/.made: | venv
	@echo "OpenCV's contrib build -> $(CONTRIB) (70 MB)"
	@$(BIN)/pip install --quiet --target $(CONTRIB) --upgrade --no-deps \
		'opencv-contrib-python-headless>=4.8,<5'
	@touch $@

# Triton, whose interpreter tests the kernel that is written for GPUs; not for the CPU's environment.
TRITON := $(VENV)/triton

triton: $(TRITON)/.made

$(TRITON)/.made: | venv
	@echo "Triton, for its interpreter -> $(TRITON) (1 GB)"
	@$(BIN)/pip install --quiet --target $(TRITON) --upgrade --no-deps 'triton>=3.2,<4'
	@touch $@

# Our tracker and its peers over the development benchmark; writes docs/benchmarks.md. About an
# hour on two cores; goes on where it stopped. BENCHMARK: the list; NANOTRACK: its ONNX files.
BENCHMARK ?= ../shared/data/benchmark.csv
NANOTRACK ?= ../shared/data/peers/nanotrack_v2
RESULTS ?= results/benchmark

benchmark: contrib
	@PYTHONPATH=$(CONTRIB) $(BIN)/python bench/development.py --data '$(BENCHMARK)' \
		--nanotrack '$(NANOTRACK)' --results '$(RESULTS)' --output docs/benchmarks.md

# How fast everything is: docs/performance.md, about 5 minutes on an idle machine. bench-check
# compares with what it says and names what got more than 15 % slower.
bench bench-check: contrib
	@PYTHONPATH=$(CONTRIB) $(BIN)/python bench/performance.py $(if $(findstring check,$@),--check)

# Everything: about 10 minutes on two cores.
test: venv contrib triton lint
	@$(BIN)/python -m pytest $(TESTS)

lint: venv
	@$(BIN)/ruff check .
	@$(BIN)/mypy

# The node on a bad day, by seed: cameras at 30 Hz, random faults; figures and verdicts at the end.
MINUTES ?= 60
soak: venv
	@$(BIN)/python test/ros/soak.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
