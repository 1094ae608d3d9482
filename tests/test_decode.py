"""Content codings, in steps and within bounds."""

import gzip
import random
import zlib

import pytest

from scraper.fetch.decode import CapExceeded, Corrupt, Decoder, UnknownCoding

PLAIN = "".join(f"<p>Paragraph {n}: 한빛일보 말했다.</p>\n" for n in range(4000)).encode()


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def decode(coding: str, wire: bytes, *, step: int = 1000, cap: int = 10**7) -> tuple[bytes, bool]:
    decoder = Decoder(coding, cap)
    for at in range(0, len(wire), step):
        decoder.feed(wire[at : at + step])
    return decoder.body, decoder.finish()


@pytest.mark.parametrize("step", [1, 7, 65536, 10**6])
@pytest.mark.parametrize(
    ("coding", "wire"),
    [
        ("", PLAIN),
        ("identity", PLAIN),
        ("gzip", gzip.compress(PLAIN)),
        ("GZip ", gzip.compress(PLAIN)),
        ("x-gzip", gzip.compress(PLAIN)),
        ("gzip, identity", gzip.compress(PLAIN)),
        ("deflate", zlib.compress(PLAIN)),
        ("deflate", raw_deflate(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(b"") + gzip.compress(PLAIN[100:])),
        ("gzip", gzip.compress(PLAIN) + b"\0" * 512),
        ("gzip", gzip.compress(PLAIN) + b"\0"),
        ("gzip", PLAIN),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}b",
)
def test_whole_bodies(coding: str, wire: bytes, step: int) -> None:
    assert decode(coding, wire[: 2000 if step == 1 and not coding else None], step=step) == (
        PLAIN[: 2000 if step == 1 and not coding else None],
        True,
    )


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_empty_bodies_and_single_bytes(coding: str) -> None:
    assert decode(coding, b"") == (b"", True)
    assert Decoder(coding, 10).finish()


def test_one_byte_labelled_gzip_is_kept() -> None:
    decoder = Decoder("gzip", 10)
    decoder.feed(b"x")
    assert decoder.finish()
    assert decoder.body == b"x"


@pytest.mark.parametrize("wire", [gzip.compress(PLAIN), gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN)])
@pytest.mark.parametrize("left_out", [1, 8, 9, 300])
def test_broken_off_gzip_is_not_complete(wire: bytes, left_out: int) -> None:
    body, complete = decode("gzip", wire[:-left_out])
    assert not complete
    assert body.startswith(PLAIN[:5])


@pytest.mark.parametrize("wire", [zlib.compress(PLAIN)[:-5], raw_deflate(PLAIN)[:-5]])
def test_broken_off_deflate_is_not_complete(wire: bytes) -> None:
    assert not decode("deflate", wire)[1]


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "deflate, gzip", "rot13"])
def test_codings_never_asked_for(coding: str) -> None:
    with pytest.raises(UnknownCoding, match=coding.split(",", maxsplit=1)[0]):
        Decoder(coding, 10)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_damaged_streams(coding: str) -> None:
    noise = bytes(byte ^ 0x5A for byte in random.Random(3).randbytes(2000))
    wire = bytearray(gzip.compress(PLAIN) if coding == "gzip" else zlib.compress(PLAIN))
    wire[500:2500] = noise
    with pytest.raises(Corrupt, match=coding):
        decode(coding, bytes(wire))


def test_a_wrong_checksum_is_damage() -> None:
    wire = bytearray(gzip.compress(PLAIN))
    wire[-8] ^= 1
    with pytest.raises(Corrupt):
        decode("gzip", bytes(wire))


@pytest.mark.parametrize("step", [100, 10**7])
@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_the_cap_keeps_what_fits(coding: str, step: int) -> None:
    wire = {"": PLAIN, "gzip": gzip.compress(PLAIN), "deflate": zlib.compress(PLAIN)}[coding]
    with pytest.raises(CapExceeded) as raised:
        decode(coding, wire, step=step, cap=5000)
    assert raised.value.body == PLAIN[:5000]
    assert decode(coding, wire, step=step, cap=len(PLAIN)) == (PLAIN, True), "exactly as many are allowed"


def test_endless_empty_members_end() -> None:
    with pytest.raises(Corrupt, match="members"):
        decode("gzip", gzip.compress(b"") * 20_000)
