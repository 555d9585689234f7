"""Counter-based random numbers: every draw is a pure function of (purpose, seed, indices).

The draws are integers, and so are the decisions made from them: numpy arrays and torch tensors of
any device give the same ones. Integers wrap on overflow in both; numpy works on unsigned views in
place, because that takes half the time, and torch, which cannot shift those, masks copied signs.
"""

import hashlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = Any
"""A numpy array or a torch tensor of int64."""

Words = npt.NDArray[np.uint64]

GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
MIX_2 = 0x94D049BB133111EB - (1 << 64)
LARGEST = (1 << 63) - 1
ALL_BITS = (1 << 64) - 1

# Arrays without axes, as numpy takes half a microsecond longer over a Python number.
MULTIPLY_1, MULTIPLY_2 = (np.array(value % (1 << 64), np.uint64) for value in (MIX_1, MIX_2))
SHIFT_1, SHIFT_2, SHIFT_3 = (np.array(places, np.uint64) for places in (30, 27, 31))


def stream(purpose: str, *indices: int) -> int:
    """Name a stream: a signed 64-bit key from a purpose and integers such as seed and epoch."""
    digest = hashlib.blake2b(repr((purpose, *indices)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def draw(key: int | IntArray, index: IntArray) -> IntArray:
    """Draw number `index` of the stream `key`; both broadcast, all int64.

    This is output `index` of SplitMix64 seeded with `key` (Steele, Lea and Flood 2014).
    """
    if isinstance(index, np.ndarray):
        return _draw(key, index)
    return _finalise(index * GOLDEN + _wrapped(key, GOLDEN))


def draw_one(key: int, index: int) -> int:
    """`draw` of two integers: for a few numbers, arrays take longer to make than to fill."""
    x = (index * GOLDEN + key + GOLDEN) & ALL_BITS
    x = ((x ^ (x >> 30)) * MIX_1) & ALL_BITS
    x = ((x ^ (x >> 27)) * MIX_2) & ALL_BITS
    x ^= x >> 31
    return x - (1 << 64) if x > LARGEST else x


def mix(x: Words, spare: Words) -> None:
    """Turn states of SplitMix64 into draws whose upper 31 bits are final; `spare` is overwritten.

    What is left to do is `x ^= x >> 31`. Who only compares draws can do without.
    """
    for shift, factor in ((SHIFT_1, MULTIPLY_1), (SHIFT_2, MULTIPLY_2)):
        np.right_shift(x, shift, out=spare)
        np.bitwise_xor(x, spare, out=x)
        np.multiply(x, factor, out=x)


def within(bits: IntArray, share: float) -> Any:  # noqa: ANN401
    """Whether a draw falls in the first `share` of its range: true with that probability.

    Compared as integers, because torch and numpy round integers to different float types.
    """
    return (bits & LARGEST) <= int(share * (1 << 63)) - 1


def below(bits: IntArray, bound: int) -> IntArray:
    """Map 64 random bits to an integer in [0, bound); the bias is below bound / 2**63."""
    return (bits & LARGEST) % bound


def _draw(key: int | IntArray, index: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    x = np.asarray(np.asarray(index, np.int64) * GOLDEN + _wrapped(key, GOLDEN))
    bits, spare = x.view(np.uint64), np.empty_like(x, np.uint64)
    mix(bits, spare)
    np.right_shift(bits, SHIFT_3, out=spare)
    np.bitwise_xor(bits, spare, out=bits)
    return x


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
