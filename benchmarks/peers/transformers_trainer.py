"""transformers' Trainer on a task, as run_glue and run_qa start it.

A batch is padded to its longest sequence (DataCollatorWithPadding): run_glue and run_qa pad to 128
and to 384 by default, which takes longer.

Legend: N examples, T tokens of all of them end to end.
"""

from typing import Any

import numpy as np
import torch
import transformers
from finetune_cases import CHECKED, EXAMPLES, OPTIM, SEED, WARMUP_SHARE, GoOn, Work
from torch.utils.data import Dataset

MODELS = {
    "sst2": transformers.RobertaForSequenceClassification,
    "squad": transformers.RobertaForQuestionAnswering,
}
LABELS = {"sst2": ("labels",), "squad": ("start_positions", "end_positions")}

Features = dict[str, Any]


class Training:
    """A training without evaluation, saving and logging."""

    def __init__(self, work: Work) -> None:
        transformers.utils.logging.disable_progress_bar()
        self._examples = _Examples(work)
        tokenizer = transformers.AutoTokenizer.from_pretrained(work.folder)
        self._collator = _Counting(transformers.DataCollatorWithPadding(tokenizer))
        model = MODELS[work.task].from_pretrained(
            work.folder, attn_implementation="sdpa", dtype=torch.float32
        )
        self._trainer = transformers.Trainer(
            model=model,
            args=_arguments(work),
            train_dataset=self._examples,
            data_collator=self._collator,
        )

    @torch.no_grad()
    def loss(self) -> float:
        """Mean over some examples, each by itself, in fp32 without dropout."""
        model, total = self._trainer.model.eval(), 0.0
        for index in range(CHECKED):
            batch = self._collator.collate([self._examples[index]]).to(model.device)
            total += float(model(**batch).loss)
        return total / CHECKED

    def run(self, go_on: GoOn) -> None:
        """Train as long as it may."""
        self._collator.tokens = 0
        self._trainer.add_callback(_Gate(go_on, self._collator))
        self._trainer.train()


def _arguments(work: Work) -> transformers.TrainingArguments:
    """The settings of both sides; the others are transformers' defaults."""
    return transformers.TrainingArguments(
        output_dir=str(work.folder / "transformers"),
        per_device_train_batch_size=work.batch,
        max_steps=work.steps,
        warmup_steps=round(WARMUP_SHARE * work.steps),
        optim="adamw_torch_fused",
        learning_rate=OPTIM.peak_lr,
        adam_beta1=OPTIM.beta1,
        adam_beta2=OPTIM.beta2,
        adam_epsilon=OPTIM.eps,
        weight_decay=OPTIM.weight_decay,
        max_grad_norm=OPTIM.clip_norm,
        bf16=work.precision == "bf16",
        use_cpu=work.device == "cpu",
        dataloader_pin_memory=work.device == "cuda",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=SEED,
    )


class _Examples(Dataset[Features]):
    """Encoded examples as a tokenizer of transformers gives them."""

    def __init__(self, work: Work) -> None:
        arrays = np.load(work.folder / EXAMPLES)
        self._ids_T, self._starts_N1 = arrays["ids_T"], arrays["starts_N1"]
        self._targets = arrays["targets"].reshape(len(self), -1)
        self._labels = LABELS[work.task]

    def __len__(self) -> int:
        return len(self._starts_N1) - 1

    def __getitem__(self, index: int) -> Features:
        """Ids, mask and what is right."""
        start, end = self._starts_N1[index : index + 2]
        ids = self._ids_T[start:end].tolist()
        targets = zip(self._labels, self._targets[index].tolist(), strict=True)
        return {"input_ids": ids, "attention_mask": [1] * len(ids), **dict(targets)}


class _Counting:
    """A collator that counts the tokens that pass through it."""

    def __init__(self, collate: transformers.DataCollatorWithPadding) -> None:
        self.collate = collate
        self.tokens = 0

    def __call__(self, examples: list[Features]) -> Features:
        """Pad to the longest."""
        self.tokens += sum(len(example["input_ids"]) for example in examples)
        return self.collate(examples)


class _Gate(transformers.TrainerCallback):
    """Lets the Trainer go on with the next step, or stops it."""

    def __init__(self, go_on: GoOn, collator: _Counting) -> None:
        self._go_on = go_on
        self._collator = collator

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Wait before the first step."""
        self._go_on(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Wait before the next one."""
        tokens, self._collator.tokens = self._collator.tokens, 0
        control.should_training_stop = not self._go_on(tokens)
