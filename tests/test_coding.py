"""Content codings, in steps and within bounds: one function for what comes from the wire and for what is read back."""

import gzip
import random
import tracemalloc
import zlib

import brotlicffi as brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import coding
from parsers.coding import MAX_MEMBERS, Decoded, decode, zstd

PLAIN = "".join(f"<p>Paragraph {n}: 한빛일보 말했다.</p>\n" for n in range(4000)).encode()
HTML, GZIP_FILE = "text/html; charset=utf-8", "application/gzip"


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def undo(label: str, wire: bytes, *, kind: str = HTML, most: int = 10**7) -> Decoded:
    return decode(wire, [("Content-Type", kind), ("CONTENT-encoding", label)], most=most)


CODED = {
    "gzip": gzip.compress(PLAIN, mtime=0),
    "deflate": zlib.compress(PLAIN),
    "br": brotli.compress(PLAIN, quality=5),
    "zstd": zstd.compress(PLAIN),
}


@pytest.mark.parametrize(
    ("label", "wire"),
    [
        *CODED.items(),
        ("", PLAIN),
        ("identity", PLAIN),
        ("UTF-8", PLAIN),
        ("GZip ", CODED["gzip"]),
        ("x-gzip", CODED["gzip"]),
        ("gzip, identity", CODED["gzip"]),
        ("deflate", raw_deflate(PLAIN)),
        ("gzip", gzip.compress(PLAIN[:100]) + gzip.compress(b"") + gzip.compress(PLAIN[100:])),
        ("gzip", CODED["gzip"] + b"\0" * 512),
        ("gzip", CODED["gzip"] + b"\0"),
        ("zstd", zstd.compress(PLAIN[:100]) + zstd.compress(PLAIN[100:])),
        ("zstd", b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + CODED["zstd"]),
        ("gzip, gzip", gzip.compress(CODED["gzip"])),
        ("br, gzip", gzip.compress(CODED["br"])),
        ("gzip,zstd", zstd.compress(CODED["gzip"])),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}b",
)
def test_whole_bodies(label: str, wire: bytes) -> None:
    assert undo(label, wire) == (PLAIN, None, "")


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_labelled_but_plain_is_kept(label: str) -> None:
    assert undo(label, PLAIN) == (PLAIN, None, "")
    assert undo(label, b'\n {"a": 1}') == (b'\n {"a": 1}', None, "")
    assert undo(label, b"") == (b"", None, "")


@pytest.mark.parametrize(
    "kind", [HTML, "", "application/rss+xml", "application/xml; x=y", "TEXT/PLAIN", "application/json"]
)
@pytest.mark.parametrize("label", ["", "gzip"])
def test_a_text_that_begins_like_gzip_is_unpacked(kind: str, label: str) -> None:
    once = CODED["gzip"]
    assert undo(label, gzip.compress(once) if label else once, kind=kind) == (PLAIN, None, "")


def test_a_gzip_file_stays_one() -> None:
    for kind in (GZIP_FILE, "application/octet-stream", "application/x-gzip", "application/xmlish"):
        assert undo("", CODED["gzip"], kind=kind).body == CODED["gzip"]
    looks_like_it = b"\x1f\x8b\x08 and then no gzip at all"
    assert undo("", looks_like_it) == (looks_like_it, None, ""), "an unlabelled text is no reason to fail"


@pytest.mark.parametrize("kind", [GZIP_FILE, "application/x-gzip; x=y", "binary/octet-stream"])
@pytest.mark.parametrize(
    "body", [b"<?xml version='1.0'?><urlset/>", b"\xef\xbb\xbf<urlset/>", b"https://sea.example/boats\n"]
)
def test_a_sitemap_in_a_gzip_file_is_unpacked_and_capped(kind: str, body: bytes) -> None:
    assert undo("", gzip.compress(body), kind=kind) == (body, None, "")
    assert undo("gzip", gzip.compress(gzip.compress(body)), kind=kind) == (body, None, "")
    bomb = gzip.compress(body + bytes(3_000_000))
    found = decode(bomb, [("Content-Type", kind)], most=1000)
    assert (len(found.body), found.fault) == (1000, "cut")


@pytest.mark.parametrize("left_out", [1, 8, 9, 300])
@pytest.mark.parametrize("label", [*CODED, "gzip, gzip", "br, gzip", "members", "unlabelled", "raw"])
def test_what_breaks_off_is_not_whole(label: str, left_out: int) -> None:
    wires = CODED | {
        "gzip, gzip": gzip.compress(CODED["gzip"]),
        "br, gzip": gzip.compress(CODED["br"]),
        "members": gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]),
        "unlabelled": CODED["gzip"],
        "raw": raw_deflate(PLAIN),
    }
    names = {"members": "gzip", "unlabelled": "", "raw": "deflate"}
    body, fault, why = undo(names.get(label, label), wires[label][:-left_out])
    assert fault == "broken off"
    assert "too early" in why
    assert PLAIN.startswith(body)


@given(st.integers(0, len(CODED["gzip"]) - 1), st.sampled_from(["gzip", "deflate"]))
def test_half_a_stream_gives_the_same_bytes_with_and_without_the_fast_library(cut: int, label: str) -> None:
    """Half a body is kept in an archive with its digest; another machine must read back the same half."""
    wire = CODED[label][:cut]
    bits = 31 if label == "gzip" else 15
    if cut >= 2:
        assert undo(label, wire).body == zlib.decompressobj(bits).decompress(wire)


@pytest.mark.parametrize("label", ["gzip, gzip, gzip", "rot13", "gzip, aes128gcm", "compress", "\x1b[2J"])
def test_codings_nobody_reads(label: str) -> None:
    body, fault, why = undo(label, b"xxxx")
    assert (body, fault) == (b"xxxx", "unknown")
    assert why


def test_all_headers_count() -> None:
    twice = gzip.compress(CODED["br"])
    assert decode(twice, [("Content-Encoding", "br"), ("content-encoding", "gzip")], most=10**7).body == PLAIN


@pytest.mark.parametrize("label", ["gzip", "deflate", "zstd"])
def test_damaged_streams(label: str) -> None:
    noise = bytes(byte ^ 0x5A for byte in random.Random(3).randbytes(2000))
    wire = bytearray(CODED[label])
    wire[20:1500] = noise[:1480]
    body, fault, why = undo(label, bytes(wire))
    assert (body, fault) == (bytes(wire), "damaged")
    assert label in why


def test_br_has_no_checksum_but_an_end() -> None:
    assert undo("br", CODED["br"] + b"and more").fault == "damaged"
    assert undo("br", b"\xff" * 100).fault == "damaged"


def test_a_wrong_checksum_is_damage() -> None:
    wire = bytearray(CODED["gzip"])
    wire[-8] ^= 1
    assert undo("gzip", bytes(wire)).fault == "damaged"


def test_zstd_windows_are_bounded() -> None:
    """RFC 9659: 8 MiB. A frame may ask for a hundred times as much."""
    wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    frame = wide.compress(b"x" * 1000, zstd.ZstdCompressor.FLUSH_BLOCK) + wide.flush()
    assert undo("zstd", frame).fault == "damaged"


@pytest.mark.parametrize("label", ["", *CODED])
def test_the_cap_keeps_what_fits(label: str) -> None:
    wire = CODED.get(label, PLAIN)
    assert undo(label, wire, most=5000)[:2] == (PLAIN[:5000], "cut")
    assert undo(label, wire, most=len(PLAIN)) == (PLAIN, None, ""), "exactly as many are allowed"
    assert undo(label, wire, most=len(PLAIN) - 1).fault == "cut"


@pytest.mark.parametrize("label", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "br, gzip", "unlabelled"])
def test_bombs_end_at_the_cap(label: str) -> None:
    made = {"deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
    bomb = made.get(label.partition(",")[0], gzip.compress)(bytes(100_000_000))
    if ", " in label:
        bomb = gzip.compress(bomb)
    tracemalloc.start()
    try:
        assert undo("" if label == "unlabelled" else label, bomb, most=2_000_000).fault == "cut"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(("label", "frame"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", zstd.compress(b""))])
def test_endless_empty_members_end(label: str, frame: bytes) -> None:
    assert undo(label, frame * (MAX_MEMBERS - 1)) == (b"", None, "")
    _, fault, why = undo(label, frame * 500_000)
    assert (fault, "members" in why) == ("damaged", True)


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "gzip", "deflate", "br", "zstd", "gzip, gzip", "zstd, br"]),
    st.sampled_from([b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x78\x9c", b"<p>"]),
)
def test_any_bytes_give_a_bounded_body(data: bytes, label: str, begin: bytes) -> None:
    body, fault, why = undo(label, begin + data, most=1000)
    assert len(body) <= 1000
    assert (fault is None) == (why == "")


@given(st.data())
def test_any_damage_gives_a_bounded_body(data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(sorted(CODED)))
    wire = bytearray(CODED[label][:3000])
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    assert len(undo(label, bytes(wire), most=50_000).body) <= 50_000


def test_machines_without_the_fast_library_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "swift", zlib)
    for label, wire in CODED.items():
        assert undo(label, wire) == (PLAIN, None, "")
        assert undo(label, wire[:-5]).fault == "broken off"
