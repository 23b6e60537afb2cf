# make venv | demo | test | bench: each makes what it needs first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: venv demo test lint bench clean

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

# Everything: about 10 minutes on two cores.
test: venv lint
	@$(BIN)/python -m pytest $(TESTS)

lint: venv
	@$(BIN)/ruff check .
	@$(BIN)/mypy
