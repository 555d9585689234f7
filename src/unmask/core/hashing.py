"""Counter-based random numbers: every draw is a pure function of (purpose, seed, indices).

The same lines run on numpy `int64` arrays and on torch `int64` tensors of any device, because
both wrap on overflow and shift arithmetically; so both give the same integers.
"""

import hashlib
from typing import Any, TypeAlias

IntArray: TypeAlias = Any
"""A numpy array or a torch tensor of int64."""

GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
MIX_2 = 0x94D049BB133111EB - (1 << 64)
LARGEST = (1 << 63) - 1


def stream(purpose: str, *indices: int) -> int:
    """Name a stream: a signed 64-bit key from a purpose and integers such as seed and epoch."""
    digest = hashlib.blake2b(repr((purpose, *indices)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def draw(key: int | IntArray, index: IntArray) -> IntArray:
    """Draw number `index` of the stream `key`; both broadcast, all int64.

    This is output `index` of SplitMix64 seeded with `key` (Steele, Lea and Flood 2014).
    """
    return _finalise(index * GOLDEN + _wrapped(key, GOLDEN))


def within(bits: IntArray, share: float) -> Any:  # noqa: ANN401
    """Whether a draw falls in the first `share` of its range: true with that probability.

    Compared as integers, because torch and numpy round integers to different float types.
    """
    return (bits & LARGEST) < int(share * (1 << 63))


def below(bits: IntArray, bound: int) -> IntArray:
    """Map 64 random bits to an integer in [0, bound); the bias is below bound / 2**63."""
    return (bits & LARGEST) % bound


def _finalise(x: IntArray) -> IntArray:
    x = (x ^ _shift_right(x, 30)) * MIX_1
    x = (x ^ _shift_right(x, 27)) * MIX_2
    return x ^ _shift_right(x, 31)


def _shift_right(x: IntArray, places: int) -> IntArray:
    """Shift in zeros: int64 shifts copy the sign, so the copied bits are masked away."""
    return (x >> places) & ((1 << (64 - places)) - 1)


def _wrapped(key: int | IntArray, step: int) -> int | IntArray:
    """Add modulo 2**64: Python integers do not wrap by themselves, arrays do."""
    if isinstance(key, int):
        return (key + step + (1 << 63)) % (1 << 64) - (1 << 63)
    return key + step
