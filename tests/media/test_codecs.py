from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec
from sottovoce.media import codecs

CODES = np.arange(256, dtype=np.uint8)


def pcmu(code: int) -> int:
    """ITU-T G.711 table 2, scaled to 16 bits."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) * 2 + 33) << (code >> 4 & 7)) - 33
    return -4 * magnitude if code & 0x80 else 4 * magnitude


def pcma(code: int) -> int:
    """ITU-T G.711 table 1, scaled to 16 bits."""
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 0x0F
    magnitude = mantissa * 2 + 1 if exponent == 0 else (mantissa * 2 + 33) << (exponent - 1)
    return 8 * magnitude if code & 0x80 else -8 * magnitude


@pytest.mark.parametrize(("codec", "scalar"), [(Codec.PCMU, pcmu), (Codec.PCMA, pcma)])
def test_every_code_decodes_as_the_tables_say(codec: Codec, scalar) -> None:
    assert codecs.decode(CODES, codec).tolist() == [scalar(code) for code in range(256)]


def to_pcmu(sample: int) -> int:
    """ITU-T G.191's ulaw_compress: one's complement of negative values, 14 bits, bias 33."""
    magnitude = min((~sample if sample < 0 else sample) >> 2, 0x1FFF - 33) + 33
    exponent = magnitude.bit_length() - 6
    code = exponent << 4 | magnitude >> (exponent + 1) & 0x0F
    return ~(code | (0x80 if sample < 0 else 0)) & 0xFF


def to_pcma(sample: int) -> int:
    """ITU-T G.191's alaw_compress: one's complement of negative values, 12 bits."""
    code = (~sample if sample < 0 else sample) >> 4
    if code > 15:
        exponent = 1
        while code > 16 + 15:
            code >>= 1
            exponent += 1
        code += (exponent << 4) - 16
    return (code | (0 if sample < 0 else 0x80)) ^ 0x55


@pytest.mark.parametrize(("codec", "scalar"), [(Codec.PCMU, to_pcmu), (Codec.PCMA, to_pcma)])
def test_every_sample_encodes_as_the_reference_does(codec: Codec, scalar) -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    assert codecs.encode(samples, codec).tolist() == [scalar(sample) for sample in samples.tolist()]


@pytest.mark.parametrize("codec", Codec)
def test_what_was_decoded_encodes_to_the_same_sound(codec: Codec) -> None:
    samples = codecs.decode(CODES, codec)
    assert np.array_equal(codecs.decode(codecs.encode(samples, codec), codec), samples)
    assert codecs.SILENCE[codec] == codecs.encode(np.zeros(1, np.int16), codec)[0]


@given(st.binary(max_size=700), st.sampled_from(list(Codec)))
def test_pairs_and_odd_lengths_decode_alike(data: bytes, codec: Codec) -> None:
    codes = np.frombuffer(data, np.uint8)
    assert codecs.decode(codes, codec).tolist() == [int(codecs.DECODED[codec][code]) for code in data]


def test_shapes_are_kept_and_strided_arrays_taken() -> None:
    wide = np.arange(64, dtype=np.uint8).reshape(4, 16)
    part = wide[:, 2:10]
    assert np.array_equal(codecs.decode(part, Codec.PCMU), codecs.decode(wide, Codec.PCMU)[:, 2:10])
    assert codecs.encode(np.zeros((3, 5), np.int16), Codec.PCMA).shape == (3, 5)


def test_no_code_decodes_to_the_mark_of_a_missing_sample() -> None:
    assert all(codecs.decode(CODES, codec).min() > -32768 for codec in Codec)
