# Everything a person or a machine does here. `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c requirements.lock

.DEFAULT_GOAL := help
.PHONY: help install format check test smoke demo bench bench-data bench-pretrain \
	bench-finetune bench-infer bench-tasks bench-time-to-loss docs

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 22

install: .venv/installed  ## make the virtual environment and install from requirements.lock

format: .venv/installed-dev  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: .venv/installed-dev  ## formatting, lint, types, import directions, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

test: .venv/installed-dev  ## every test, a file a core at a time
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

smoke: .venv/installed  ## the whole line, small, in about a minute
	$(BIN)/unmask demo --recipe recipes/smoke.toml

demo: .venv/installed  ## the whole line on the documentation of the installed Python
	$(BIN)/unmask demo

bench: bench-data bench-pretrain bench-finetune bench-infer  ## measure against peers on this machine, write benchmarks/results/

bench-data: .venv/installed-dev  ## the data stages only: memory, throughput, loader, BPE training
	$(BIN)/python benchmarks/data_loader.py
	$(BIN)/python benchmarks/data_throughput.py
	$(BIN)/python benchmarks/bpe_training.py
	$(BIN)/python benchmarks/data_memory.py
	$(MAKE) docs

bench-pretrain: .venv/installed-dev  ## a pretraining step beside transformers', 1 and 2 processes, a simulation of more
	$(BIN)/python benchmarks/pretrain_step.py
	$(BIN)/python benchmarks/scaling.py
	$(BIN)/python benchmarks/simulate_scaling.py
	$(MAKE) docs

bench-finetune: .venv/installed-dev  ## fine-tuning on SST-2 and SQuAD beside transformers' Trainer
	$(BIN)/python benchmarks/finetune_speed.py
	$(MAKE) docs

bench-infer: .venv/installed-dev  ## a base model's inference beside transformers, ONNX Runtime and OpenVINO
	$(BIN)/python benchmarks/inference.py
	$(MAKE) docs

bench-tasks: .venv/installed-dev  ## what pretraining brings on ten real tasks, and 8 bits cost on four, in two to three hours: DATA=FOLDER
	sh benchmarks/task_pretraining.sh $(DATA) runs/tasks
	$(BIN)/python benchmarks/task_scores.py --english runs/tasks/english --chinese runs/tasks/chinese \
		--data $(DATA)
	$(BIN)/python benchmarks/int8_tasks.py --data $(DATA)
	$(MAKE) docs

bench-time-to-loss: .venv/installed-dev  ## how soon the loss is reached that transformers has after 15 minutes
	$(BIN)/python benchmarks/time_to_loss.py
	$(MAKE) docs

docs: .venv/installed-dev  ## write the generated pages: docs/commands.md, docs/results.md
	$(BIN)/python docs/generate.py

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "unmask needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) -e '.[finetune,export]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(PIP) -e '.[test,dev]'
	@touch $@
