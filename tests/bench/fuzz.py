"""Responses that are anything but in order: `python tests/bench/fuzz.py [--seconds N] [--seed S]`. A table to stdout.

Good responses with bytes changed, cut, doubled and put in, in pieces of any size, through the parser of heads and frames
and through the decoder. What must not happen: an error of another kind than those that they announce, a body beyond the cap,
a response that takes long, a process that grows. Exit code 1 if it did.
"""

import argparse
import gzip
import random
import resource
import time
import zlib

import brotlicffi

from parsers.coding import decode, zstd
from scraper.fetch.wire import NotHttp, Response

CAP = 200_000
BODY = b"<title>Rain</title>" + b"<p>It rained for a week, and nobody minded.</p>" * 2000
HEAD = b'HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html; charset=utf-8\r\nETag: "1"\r\n'
PIECES = [
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b"\xff",
    b":",
    b"9",
    b" ",
    b",",
    b"\r\n ",
    b"chunked",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
]


def good() -> list[bytes]:
    """Responses to begin with."""
    payloads = {
        b"": BODY,
        b"gzip": gzip.compress(BODY),
        b"deflate": zlib.compress(BODY),
        b"br": brotlicffi.compress(BODY),
        b"zstd": zstd.compress(BODY),
        b"gzip, gzip": gzip.compress(gzip.compress(bytes(5_000_000))),
    }
    found = []
    for coding, payload in payloads.items():
        head = HEAD + (b"Content-Encoding: %b\r\n" % coding if coding else b"")
        found.append(head + b"Content-Length: %d\r\n\r\n" % len(payload) + payload)
        found.append(head + b"\r\n" + payload)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(payload[n : n + 700]), payload[n : n + 700]) for n in range(0, len(payload), 700)
        )
        found.append(
            b"HTTP/1.1 103 Early\r\n\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        )
    return found


def spoilt(wire: bytes, dice: random.Random) -> bytes:
    """The same with one to six changes, most of them in its head."""
    data = bytearray(wire)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(min(len(data), dice.choice([60, 300, len(data)])) or 1)
        piece = dice.choice(PIECES) if dice.random() < 0.8 else bytes(data[at : at + 40]) * dice.randint(1, 50)
        data[at : at + dice.choice([0, 0, 1, 3, 20])] = piece
    return bytes(data[: dice.randrange(len(data) + 1)] if dice.random() < 0.2 else data)


def one(wire: bytes, dice: random.Random) -> str:
    """Read a response; gives what became of it."""
    response = Response()
    step = dice.choice([1, 17, 1400, 65536]) if len(wire) < 5000 else dice.choice([1400, 65536])
    try:
        payload = b"".join([response.feed(wire[at : at + step]) for at in range(0, len(wire), step)])
        response.end()
    except NotHttp:
        return "not HTTP"
    if not response.done:
        return "closed early"
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]
    body, fault, _ = decode(payload, headers, most=CAP)
    assert len(body) <= CAP or fault in ("unknown", "damaged")
    return fault or "whole"


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--seconds", type=float, default=600.0, help="(%(default)g)")
    options.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    chosen = options.parse_args()
    dice, wires = random.Random(chosen.seed), good()
    outcomes: dict[str, int] = {}
    slowest = 0.0
    for wire in wires * 20:
        one(wire, dice)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = time.monotonic() + chosen.seconds
    while time.monotonic() < end:
        wire = spoilt(dice.choice(wires), dice)
        begin = time.process_time()
        outcome = one(wire, dice)
        slowest = max(slowest, time.process_time() - begin)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{sum(outcomes.values())} responses, seed {chosen.seed}; slowest {slowest * 1000:.0f} ms of CPU; grown by {grown:.1f} MB"
    )
    for outcome, number in sorted(outcomes.items(), key=lambda item: -item[1]):
        print(f"{outcome:<14}{number:>10}")
    raise SystemExit(slowest > 2.0 or grown > 50.0)


if __name__ == "__main__":
    main()
