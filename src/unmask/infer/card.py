"""What a card brings: flash attention of sequences of any length, and CUDA graphs.

Legend: Q queries, T keys, S sequences and one more, H heads, K head size, X any input.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from unmask.core.errors import UserError
from unmask.core.progress import say
from unmask.infer.engine_config import ExactPrecision
from unmask.infer.joined import Kernels, Replay
from unmask.model.config import ModelConfig
from unmask.model.packing import Kernel

WARM_UPS = 3
LARGEST_HEAD = 256


def kernels_of(
    device: torch.device, precision: ExactPrecision, config: ModelConfig
) -> Kernels | None:
    """Find what this device has for batches without padding; None where they must be padded.

    That is so off a card, in fp32, which flash attention does not compute, and on cards before
    compute capability 8.0 or with a torch built without it, of which a line tells. UserError for
    heads of a size that flash attention does not take
    (aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp, mha_varlen_fwd).
    """
    if device.type != "cuda" or precision == "fp32":
        return None
    if not has_flash_attention(device):
        say("torch has no flash attention for this card: attention pads its batches")
        return None
    if config.head_size % 8 or config.head_size > LARGEST_HEAD:
        raise UserError(
            f"--engine.precision {precision}: heads of size {config.head_size}; on a card it must "
            f"be a multiple of 8, at most {LARGEST_HEAD}",
            "use --engine.precision fp32",
        )
    return Kernels(_flash_attention(), CudaGraphs(device))


def has_flash_attention(device: torch.device) -> bool:
    """Whether torch has it for this card: compute capability 8.0 or later."""
    built = torch.backends.cuda.is_flash_attention_available()
    return built and torch.cuda.get_device_capability(device) >= (8, 0)


def _flash_attention() -> Kernel:
    # Imported here: it takes seconds, and only a card needs it.
    from torch.nn.attention.varlen import varlen_attn

    def attend(
        q_QHK: Tensor,
        k_THK: Tensor,
        v_THK: Tensor,
        starts_q_S: Tensor,
        starts_k_S: Tensor,
        longest_q: int,
        longest_k: int,
    ) -> Tensor:
        mixed_QHK = varlen_attn(q_QHK, k_THK, v_THK, starts_q_S, starts_k_S, longest_q, longest_k)
        assert isinstance(mixed_QHK, Tensor), "no log-sum was asked for"
        return mixed_QHK

    return attend


class CudaGraphs:
    """Records functions as CUDA graphs that share one memory pool and one stream.

    They may share it because none runs beside another, each reads nothing but its own input and
    the weights, and its output is used before the next one runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, run: Callable[[Tensor], Tensor], static_X: Tensor) -> Replay:
        """Record run(static_X); what is returned computes it of the numbers that stand there.

        Warmed up and captured on a stream beside, as the notes on torch.cuda.graph ask for. Other
        threads may use the card meanwhile.
        """
        current = torch.cuda.current_stream(static_X.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            for _ in range(WARM_UPS):
                run(static_X)
        current.wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
        ):
            out_X = run(static_X)

        def replay() -> Tensor:
            graph.replay()
            return out_X

        return replay
