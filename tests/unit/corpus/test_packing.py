import bz2
import gzip
import io
import lzma

import pytest
import zstandard

from unmask.corpus.inputs import packing

TEXT = b"".join(b"line %d\n" % number for number in range(50_000))
PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
FRAMED = [".bz2", ".xz", ".zst"]


def unpacked(packed: bytes, suffix: str = ".zst") -> bytes:
    return packing.unpacked(io.BytesIO(packed), suffix).read()


@pytest.mark.parametrize("suffix", PACK)
def test_frames_follow_one_another_as_one_file(suffix):
    pack = PACK[suffix]

    assert unpacked(pack(TEXT) + pack(b"") + pack(b"more"), suffix) == TEXT + b"more"


@pytest.mark.parametrize("suffix", FRAMED)
def test_one_byte_at_a_time_comes_to_the_same(suffix):
    class Trickle(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 1) if size > 0 else size)

    packed = PACK[suffix](TEXT[:5000]) + PACK[suffix](b"more")

    assert packing.unpacked(Trickle(packed), suffix).read() == TEXT[:5000] + b"more"


def test_a_skippable_zstd_frame_adds_nothing():
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"

    assert unpacked(skippable + zstandard.compress(TEXT)) == TEXT


def test_a_zstd_window_of_a_gibibyte_is_read():
    settings = zstandard.ZstdCompressionParameters(window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()

    assert unpacked(packer.compress(TEXT) + packer.flush()) == TEXT


def test_padding_between_xz_streams_is_no_damage():
    packed = lzma.compress(TEXT) + bytes(8) + lzma.compress(b"more") + bytes(4)

    assert unpacked(packed, ".xz") == TEXT + b"more"


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("kept", [5, 1000, -1])
def test_a_file_cut_short_is_an_error_and_not_a_short_text(suffix, kept):
    with pytest.raises(EOFError, match=r"inside a packed frame|before the end-of-stream marker"):
        unpacked(PACK[suffix](TEXT)[:kept], suffix)


@pytest.mark.parametrize("suffix", FRAMED)
def test_a_second_frame_that_is_cut_short_or_no_frame_is_an_error(suffix):
    pack = PACK[suffix]

    with pytest.raises(EOFError, match="inside a packed frame"):
        unpacked(pack(TEXT) + pack(b"more")[:-3], suffix)
    with pytest.raises(packing.DAMAGE):
        unpacked(pack(TEXT) + b"no frame at all, but text", suffix)


@pytest.mark.parametrize("suffix", PACK)
def test_flipped_bits_are_an_error(suffix):
    packed = bytearray(PACK[suffix](TEXT))
    packed[len(packed) // 2] ^= 0xFF

    with pytest.raises(packing.DAMAGE):
        unpacked(bytes(packed), suffix)


@pytest.mark.parametrize("suffix", FRAMED)
def test_an_empty_file_holds_nothing(suffix):
    assert unpacked(b"", suffix) == b""


@pytest.mark.parametrize("suffix", [".bz2", ".xz"])
def test_what_unpacks_to_a_thousandfold_comes_in_small_steps(suffix):
    stream = packing.unpacked(io.BytesIO(PACK[suffix](bytes(5_000_000))), suffix)
    sizes = list(iter(lambda: len(stream.raw.read(1 << 24)), 0))

    assert sum(sizes) == 5_000_000
    assert max(sizes) <= 1 << 20
