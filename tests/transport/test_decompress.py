"""What was compressed comes back whole, however it was packed and in whatever pieces it comes."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.transport.decompress import _STEP, Inflater, decoded

FORMATS = {"gzip": zlib.MAX_WBITS | 16, "zlib": zlib.MAX_WBITS, "raw": -zlib.MAX_WBITS}


def packed(plain, wbits, level=9):
    packer = zlib.compressobj(level, zlib.DEFLATED, wbits)
    return packer.compress(plain) + packer.flush()


def in_pieces(data, cuts):
    cuts = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.parametrize("wbits", FORMATS.values(), ids=FORMATS)
@given(plain=st.binary(max_size=5000), cuts=st.lists(st.integers(0, 5000), max_size=5))
def test_any_bytes_in_any_pieces(wbits, plain, cuts):
    inflater = Inflater(wbits)
    came = [
        each for piece in in_pieces(packed(plain, wbits), cuts) for each in inflater.pieces(piece)
    ]
    inflater.end()
    assert b"".join(came) == plain


@pytest.mark.parametrize("wbits", FORMATS.values(), ids=FORMATS)
def test_what_is_a_little_longer_than_a_step_is_not_cut(wbits):
    for longer in range(-7, 3000, 37):
        plain = b"[" + b" " * (_STEP + longer)
        assert decoded(packed(plain, wbits), "deflate", cap=2 * _STEP) == plain
