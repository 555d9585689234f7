#!/bin/sh
# The two models that task_scores.py fine-tunes: about an hour on two cores.
#
#     sh benchmarks/task_pretraining.sh DATA OUT
#
# DATA holds wiki_en/ and wiki_zh/ (train.txt.gz: a blank line between documents) and
# wordpiece/bert-base-chinese/ (its vocab.txt). OUT/english and OUT/chinese are the runs.
set -eu
data=$1
out=$2
bin=$(dirname "$0")/../.venv/bin

run() {
    OMP_NUM_THREADS=1 "$bin/torchrun" --nproc-per-node 2 -m unmask pretrain "$@"
}

"$bin/unmask" corpus --inputs "$data/wiki_en/train.txt.gz" --out "$out/english-corpus"
"$bin/unmask" tokenizer --corpus "$out/english-corpus" --vocabulary 8192 --out "$out/english-tokenizer"
"$bin/unmask" tokens --corpus "$out/english-corpus" --tokenizer "$out/english-tokenizer" --length 128 \
    --out "$out/english-tokens"
run --recipe recipes/laptop.toml --tokens "$out/english-tokens" --out "$out/english" --budget-hours 0.62

# Masked as whole words, as jieba finds them; half the batch, as there is a quarter of the time.
"$bin/unmask" corpus --inputs "$data/wiki_zh/train.txt.gz" --out "$out/chinese-corpus"
"$bin/unmask" tokenizer --import-from "$data/wordpiece/bert-base-chinese" --lowercase \
    --out "$out/chinese-tokenizer"
"$bin/unmask" tokens --corpus "$out/chinese-corpus" --tokenizer "$out/chinese-tokenizer" --length 128 \
    --sentences split --language zh --out "$out/chinese-tokens"
run --recipe recipes/laptop.toml --tokens "$out/chinese-tokens" --out "$out/chinese" \
    --masking.unit chinese-word --batch 16 --micro-batch 8 --warmup-steps 300 --optim.peak-lr 7e-4 \
    --budget-hours 0.25
