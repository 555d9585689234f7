import io

import pytest
import zstandard

from unmask.corpus.packing import ZstdReader

TEXT = b"".join(b"line %d\n" % number for number in range(50_000))


def unpacked(packed: bytes) -> bytes:
    return io.BufferedReader(ZstdReader(io.BytesIO(packed))).read()


def test_frames_follow_one_another_as_one_file():
    one, other = zstandard.compress(TEXT), zstandard.compress(b"more")

    assert unpacked(one + zstandard.compress(b"") + other) == TEXT + b"more"


def test_a_skippable_frame_adds_nothing():
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"note"

    assert unpacked(skippable + zstandard.compress(TEXT)) == TEXT


def test_a_window_of_a_gibibyte_is_read():
    settings = zstandard.ZstdCompressionParameters(window_log=30)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()

    assert unpacked(packer.compress(TEXT) + packer.flush()) == TEXT


@pytest.mark.parametrize("kept", [5, 1000, -1])
def test_a_file_cut_short_is_an_error_and_not_a_short_text(kept):
    with pytest.raises(EOFError, match="inside a zstd frame"):
        unpacked(zstandard.compress(TEXT)[:kept])


def test_an_empty_file_holds_nothing():
    assert unpacked(b"") == b""
