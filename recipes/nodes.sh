#!/usr/bin/env bash
# Pretraining on several machines: the same command on each of them, by torchrun's rendezvous.
#
# Source:  torchrun's manual, https://docs.pytorch.org/docs/stable/elastic/run.html
# Command: HEAD=node0:29500 NODES=4 bash recipes/nodes.sh \
#              --recipe recipes/roberta-base-paper.toml --tokens runs/tokens --out runs/roberta-base
# Machine: NODES machines that reach the first one by its port, with the same checkout and one file
#          system under runs/. GPUS: processes a machine; left out, one a card.
# Time:    Whichever recipe: a step waits for the slowest machine.
# Score:   That of the recipe: the batches are the same on any number of machines.
#
# A machine that fails makes the others start anew from the newest checkpoint, up to RESTARTS times.
# Stop by Ctrl-C on one machine, or by SIGTERM: the run saves and can be gone on with.

set -euo pipefail
: "${HEAD:?the address of the first machine, such as HEAD=node0:29500}"
: "${NODES:?the number of machines, such as NODES=4}"

exec torchrun \
    --nnodes "$NODES" \
    --nproc-per-node "${GPUS:-gpu}" \
    --rdzv-backend c10d \
    --rdzv-endpoint "$HEAD" \
    --rdzv-id "${RUN:-unmask}" \
    --max-restarts "${RESTARTS:-3}" \
    -m unmask pretrain "$@"
