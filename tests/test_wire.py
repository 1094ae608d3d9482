"""Responses out of bytes: what odd ones give, and that no bytes at all can do harm."""

from dataclasses import dataclass

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.fetch.wire import MAX_HEAD, NotHttp, Response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Seen:
    """What came out: payload, is it all, may the connection be used again, was there more than announced?"""

    payload: bytes
    done: bool
    clean: bool
    overlong: bool


def read(wire: bytes, step: int = 0, *, close: bool = True, tunnel: bool = False) -> tuple[Seen, Response]:
    """The response in `wire`, given `step` bytes at a time (0: at once). `close`: the connection ends after it."""
    response = Response(tunnel=tunnel)
    payload = b""
    for at in range(0, len(wire), step or len(wire)):
        payload += response.feed(wire[at : at + (step or len(wire))])
    clean = response.clean
    if close and not response.done:
        response.end()
    return Seen(payload, response.done, clean and response.done and response.clean, response.overlong), response


AGAIN, ONCE = True, False
TABLE = [
    # bytes, payload, all of it?, connection used again?
    ("a length", OK + b"Content-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("no body", OK + b"Content-Length: 0\r\n\r\n", b"", True, AGAIN),
    ("until close", OK + b"\r\nok", b"ok", True, ONCE),
    ("connection: close", OK + b"Connection: Close\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("keep-alive, close", OK + b"Connection: keep-alive, close\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("no reason", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("no reason but its space", b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("a reason in latin-1", b"HTTP/1.1 200 d\xe9j\xe0\r\nContent-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("HTTP/1.0 until close", b"HTTP/1.0 200 OK\r\n\r\nok", b"ok", True, ONCE),
    ("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok", True, ONCE),
    ("CRLF, then a bare LF", OK + b"Content-Length: 2\r\n\nok", b"ok", True, ONCE),
    ("an empty line before", b"\r\n" + OK + b"Content-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("early hints", b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("100 and 102", b"HTTP/1.1 100\r\n\r\nHTTP/1.1 102\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", b"", True, AGAIN),
    ("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", b"", True, AGAIN),
    ("304 with a coding", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", b"", True, AGAIN),
    ("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", b"", True, ONCE),
    ("chunked", CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde", True, AGAIN),
    ("chunk extensions", CHUNKED + b'3;x=y;z="q"\r\nabc\r\n2 \r\nde\r\n0;last\r\n\r\n', b"abcde", True, AGAIN),
    ("trailers", CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nContent-Length: 7\r\n\r\n", b"abc", True, AGAIN),
    ("chunks with bare LF", CHUNKED + b"3\nabc\n0\n\n", b"abc", True, ONCE),
    ("zeros before a size", CHUNKED + b"0003\r\nabc\r\n000\r\n\r\n", b"abc", True, AGAIN),
    ("chunked and a length", CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc", True, ONCE),
    ("chunked in HTTP/1.0", CHUNKED.replace(b"1.1", b"1.0") + b"3\r\nabc\r\n0\r\n\r\n", b"abc", True, ONCE),
    ("identity", OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("CHUNKED in capitals", OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n", b"", True, AGAIN),
    ("the same length twice", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("the same length in a list", OK + b"Content-Length: 2, 2\r\n\r\nok", b"ok", True, ONCE),
    ("a folded value", OK + b"X-A: one\r\n two\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("a line without colon", OK + b"What is this\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("space before the colon", OK + b"Content-Length : 9\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("a name with a space", OK + b"X Y: 1\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("a bare CR", OK + b"X: a\rContent-Length: 9\r\nContent-Length: 2\r\n\r\nok", b"ok", True, ONCE),
    ("control characters", OK + b"X: \x01\x1b[31m\r\nContent-Length: 2\r\n\r\nok", b"ok", True, AGAIN),
    ("another answer after it", OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 6\r\n\r\nPOISON", b"ok", True, ONCE),
    ("another after chunks", CHUNKED + b"0\r\n\r\n" + OK, b"", True, ONCE),
    ("an empty line after it", OK + b"Content-Length: 2\r\n\r\nok\r\n", b"ok", True, ONCE),
    ("too short", OK + b"Content-Length: 3\r\n\r\nok", b"ok", False, ONCE),
    ("no last chunk", CHUNKED + b"3\r\nabc\r\n", b"abc", False, ONCE),
    ("half a chunk", CHUNKED + b"3\r\nab", b"ab", False, ONCE),
    ("no empty line after trailers", CHUNKED + b"0\r\nX: y\r\n", b"", False, ONCE),
    ("half a head", OK + b"Content-Le", b"", False, ONCE),
    ("nothing but hints", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"", False, ONCE),
]  # fmt: skip


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize(
    ("wire", "payload", "done", "clean"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_oddities(wire: bytes, payload: bytes, done: bool, clean: bool, step: int) -> None:
    assert read(wire, step)[0] == Seen(payload, done, clean, overlong=False)


@pytest.mark.parametrize("extra", [b"k", b"</html>", b"\r\nmore", b"HTTP/2"])
@pytest.mark.parametrize("frame", [OK + b"Content-Length: 2\r\n\r\nok", CHUNKED + b"2\r\nok\r\n0\r\n\r\n"])
def test_more_than_was_announced(frame: bytes, extra: bytes) -> None:
    assert read(frame + extra)[0] == Seen(b"ok", done=True, clean=False, overlong=True)


NOT_HTTP = {
    "a mail server": b"220 mail.example ESMTP\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x16",
    "HTTP/0.9": b"<html>hello",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "HTTP/2 frames": b"\x00\x00\x12\x04\x00\x00",
    "no number": b"HTTP/1.1 two hundred\r\n\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status of 0": b"HTTP/1.1 099 OK\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "two lengths in a list": OK + b"Content-Length: 1, 2\r\n\r\n",
    "a length in words": OK + b"Content-Length: many\r\n\r\n",
    "an empty length": OK + b"Content-Length:\r\n\r\n",
    "a signed length": OK + b"Content-Length: +2\r\n\r\n",
    "a length below zero": OK + b"Content-Length: -1\r\n\r\n",
    "a length in other digits": OK + "Content-Length: ２\r\n\r\n".encode(),
    "a folded length": OK + b"Content-Length: 2\r\n 2\r\n\r\n",
    "a length beyond reason": OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "gzip as a transfer coding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a NUL": OK + b"X: a\x00b\r\n\r\n",
    "a size in words": CHUNKED + b"abcxyz\r\n",
    "no size": CHUNKED + b"\r\nabc",
    "a signed size": CHUNKED + b"-1\r\n",
    "a size beyond reason": CHUNKED + b"f" * 17 + b"\r\n",
    "0x3": CHUNKED + b"0x3\r\nabc\r\n",
    "a chunk that is longer": CHUNKED + b"3\r\nabcd\r\n",
    "an endless size": CHUNKED + b"1" * 5000,
    "an endless extension": CHUNKED + b"1;" + b"x" * 5000,
    "extensions without end": CHUNKED + (b"1;" + b"x" * 3000 + b"\r\na\r\n") * 40,
    "trailers without end": CHUNKED + b"0\r\n" + (b"X: " + b"x" * 3000 + b"\r\n") * 40,
    "a huge head": OK + b"X: " + b"x" * MAX_HEAD,
    "a huge head that ends": OK + b"X: " + b"x" * MAX_HEAD + b"\r\n\r\n",
    "hints without end": b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 5000,
    "too many fields": OK + b"X: y\r\n" * 1001 + b"\r\n",
}


@pytest.mark.parametrize("step", [0, 1, 1000])
@pytest.mark.parametrize("wire", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http(wire: bytes, step: int) -> None:
    with pytest.raises(NotHttp) as raised:
        read(wire, step)
    assert len(str(raised.value)) < 200


def test_payload_before_a_fault_is_not_lost() -> None:
    with pytest.raises(NotHttp) as raised:
        read(CHUNKED + b"3\r\nabc\r\nnonsense\r\n")
    assert raised.value.before == b"abc"


def test_heads_as_received() -> None:
    head = b"HTTP/1.1  200  Yes Indeed \r\nx-A:b\r\nX-a: \t c  d \r\n\tfolded\r\nNonsense\r\n\r\n"
    _, response = read(b"HTTP/1.1 103 Hints\r\nX: y\r\n\r\n" + head + b"ok")
    assert response.head == head
    assert (response.status, response.minor, response.reason) == (200, 1, b"Yes Indeed")
    assert response.headers == [(b"x-A", b"b"), (b"X-a", b"c  d folded")]


def test_an_answer_to_connect_has_no_body() -> None:
    assert read(OK + b"Content-Length: 5\r\n\r\n", tunnel=True)[0].done
    assert not read(b"HTTP/1.1 407 Who?\r\nContent-Length: 5\r\n\r\n", tunnel=True)[0].done


# -- anything ----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [b"Content-Length", b"Transfer-Encoding", b"Connection", b"X", b"content-type", b"", b"X Y", b" "]
)
VALUES = st.sampled_from(
    [b"0", b"5", b"5, 5", b"chunked", b"close", b"gzip", b"", b"\xff", b"a\rb", b"1e3", b"x" * 300]
)
PIECES = st.one_of(
    st.builds(
        lambda name, value, end: name + b":" + value + end, NAMES, VALUES, st.sampled_from([b"\r\n", b"\n", b""])
    ),
    st.sampled_from(
        [
            OK,
            b"HTTP/1.1 103 \r\n\r\n",
            b"HTTP/1.0 204\n\n",
            b"\r\n\r\n",
            b"\n\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"3;x\r\n",
        ]
    ),
    st.binary(max_size=30),
)
WIRES = st.lists(PIECES, max_size=12).map(b"".join)


@given(st.booleans(), WIRES, st.integers(1, 50))
def test_any_bytes_end_in_a_response_or_in_a_fault(good_start: bool, wire: bytes, step: int) -> None:
    wire = (OK if good_start else b"") + wire
    response = Response()
    payload = b""
    try:
        for at in range(0, len(wire), step):
            payload += response.feed(wire[at : at + step])
        assert response.headed or not response.done
        response.end()
        assert not response.clean
    except NotHttp as error:
        payload += error.before
    assert len(payload) <= len(wire)
    if response.headed:
        assert 200 <= response.status <= 999
        assert wire.find(response.head) >= 0


@given(WIRES, st.integers(1, 50))
def test_the_size_of_the_pieces_makes_no_difference(wire: bytes, step: int) -> None:
    def outcome(step: int) -> tuple[object, ...]:
        try:
            seen, response = read(OK + wire, step)
        except NotHttp as error:
            return ("fault", str(error).startswith("it begins"))
        return (seen.payload, seen.done, response.head, response.headers)

    assert outcome(step) == outcome(0)


FIELD = st.tuples(
    st.from_regex(rb"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True),
    st.from_regex(rb"(?:[!-~\x80-\xff](?:[ -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?", fullmatch=True),
).filter(lambda pair: pair[0].lower() not in (b"content-length", b"transfer-encoding", b"connection"))


@given(
    st.lists(FIELD, max_size=8),
    st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    st.lists(st.binary(min_size=1, max_size=50), max_size=5),
    st.sampled_from(["length", "chunks", "close"]),
    st.integers(1, 60),
)
def test_good_responses_are_read_as_h11_reads_them(
    fields: list[tuple[bytes, bytes]], status: int, parts: list[bytes], frame: str, step: int
) -> None:
    """h11 is the reference: the same status, fields and payload for every response that is in order."""
    head = b"HTTP/1.1 %d Fine\r\n" % status + b"".join(b"%b: %b\r\n" % pair for pair in fields)
    body = b"".join(parts)
    if frame == "length":
        wire = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif frame == "chunks":
        wire = head + b"Transfer-Encoding: chunked\r\n\r\n"
        wire += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    else:
        wire = head + b"\r\n" + body
    reference = h11.Connection(h11.CLIENT)
    reference.send(h11.Request(method="GET", target="/", headers=[("Host", "a.example")]))
    reference.send(h11.EndOfMessage())
    reference.receive_data(wire)
    if frame == "close":
        reference.receive_data(b"")
    answered = reference.next_event()
    assert isinstance(answered, h11.Response)
    payload = b""
    while isinstance(event := reference.next_event(), h11.Data):
        payload += event.data
    assert isinstance(event, h11.EndOfMessage)
    seen, response = read(wire, step)
    assert (response.status, response.headers) == (answered.status_code, answered.headers.raw_items())
    assert (seen.payload, seen.done, seen.clean) == (payload, True, frame != "close")
