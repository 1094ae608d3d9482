"""Every way that we could think of to lead a crawl to a private machine. A trap listens there, and nobody may come.

127.0.0.1 is allowed and stands for the public internet; the trap is 127.0.66.6, another address of this machine.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest
from test_crawl import PROSE, STORY, front, html, urls, visit

from parsers.errors import FetchError
from scraper.fetch.client import Fetcher
from scraper.fetch.policy import Backoff
from tests.servers import Server, answer, moved, settings

TRAP = "127.0.66.6"
AUTHORITIES = {
    "plain": TRAP,
    "decimal": "2130722310",
    "hex": "0x7f004206",
    "hex in parts": "0x7f.0x0.0x42.0x6",
    "octal": "0177.0.0102.06",
    "long octal": "00000177.000.00102.0006",
    "two parts": "127.16902",
    "three parts": "127.0.16902",
    "mixed": "0x7f.0.0102.6",
    "overflow": "127.0.66.262",
    "dot at the end": f"{TRAP}.",
    "mapped": f"[::ffff:{TRAP}]",
    "mapped in hex": "[::ffff:7f00:4206]",
    "mapped, written out": "[0:0:0:0:0:ffff:7f00:4206]",
    "compatible": f"[::{TRAP}]",
    "NAT64": "[64:ff9b::7f00:4206]",
    "local NAT64": "[64:ff9b:1::7f00:4206]",
    "6to4": "[2002:7f00:4206::1]",
    "Teredo": "[2001:0:4136:e378:8000:63bf:80ff:bdf9]",
    "ISATAP": "[2001:db8::5efe:7f00:4206]",
    "SIIT": "[::ffff:0:7f00:4206]",
    "zone": "[fe80::1%25lo]",
    "zone of loopback": "[::1%25lo]",
    "loopback": "[::1]",
    "unspecified": "[::]",
    "unique local": "[fd00::1]",
    "site local": "[fec0::1]",
    "zero": "0",
    "zeros": "0.0.0.0",
    "full-width digits": "\uff11\uff12\uff17.0.66.6",
    "circled digits": "\u2460\u2461\u2466.0.66.6",
    "ideographic dots": "127\u30020\u300266\u30026",
    "half-width dots": "127\uff610\uff6166\uff616",
    "escaped": "%31%32%37.0.66.6",
    "escaped dots": "127%2e0%2e66%2e6",
    "soft hyphen": "127.0.6\u00ad6.6",
    "zero width": "127.0.66\u200b.6",
    "user": f"127.0.0.1@{TRAP}",
    "user and password": f"127.0.0.1:80@{TRAP}",
    "two users": f"a@127.0.0.1@{TRAP}",
    "user with fragment": f"127.0.0.1%23@{TRAP}",
    "backslash user": f"127.0.0.1\\@{TRAP}",
    "name": "inside.example",
    "name in capitals": "INSIDE.Example.",
    "name of several": "both.example",
    "name of IPv6": "inside6.example",
    "name with a tab": "ins\tide.example",
    "metadata": "169.254.169.254",
    "shared": "100.64.0.1",
    "broadcast": "255.255.255.255",
    "localhost": "localhost",
    "below localhost": "a.localhost",
}
NAMES = {
    "inside.example": [TRAP],
    "both.example": [TRAP, "10.0.0.1"],
    "inside6.example": ["::ffff:7f00:4206"],
}


async def names(host: str, port: int) -> Sequence[str]:
    """As the system reads addresses, and some names that point inside."""
    known = NAMES.get(host.rstrip(".").lower())
    if known:
        return known
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(item[4][0]) for item in found]


def fetch(url: str, **changes: object) -> bytes | None:
    """What comes; None if an error does."""
    here = (ip_network("127.0.0.1/32"),)

    async def run() -> bytes | None:
        options = settings(allow_addresses=here, retries=0, deadline=3.0, **changes)
        async with Fetcher(options, agent="x", resolver=names, backoff=Backoff(0.01, 0.01, 0.0)) as fetcher:
            try:
                return (await fetcher.get(url)).page.body
            except FetchError:
                return None

    return asyncio.run(run())


@pytest.mark.parametrize("way", AUTHORITIES)
@pytest.mark.parametrize("by", ["itself", "redirect", "robots"])
def test_no_spelling_of_a_private_address_is_connected_to(way: str, by: str) -> None:
    with Server() as server, Server(TRAP) as trap:
        trap.otherwise = answer(b"<title>secret")
        url = f"http://{AUTHORITIES[way]}:{trap.port}/secret"
        if by == "redirect":
            server.at["/a"] = f"HTTP/1.1 302 F\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()
        elif by == "robots":
            server.at["/robots.txt"] = f"HTTP/1.1 302 F\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()
            server.at["/a"] = answer(b"<p>well")
        body = fetch(url if by == "itself" else server.url("/a"))
        assert trap.connections == 0
        assert body is None or (by == "robots" and body == b"<p>well")


def test_a_name_with_a_public_and_a_private_address_leads_to_the_public_one() -> None:
    async def mixed(host: str, port: int) -> Sequence[str]:
        return [TRAP, "127.0.0.1", "::ffff:7f00:4206"]

    async def run(url: str) -> bytes:
        options = settings(allow_addresses=(ip_network("127.0.0.1/32"),))
        async with Fetcher(options, agent="x", resolver=mixed) as fetcher:
            return (await fetcher.get(url)).page.body

    with Server() as server:
        server.at["/a"] = answer(b"<p>well")
        assert asyncio.run(run(server.url("/a", "mixed.example"))) == b"<p>well"


@pytest.mark.parametrize(
    "header", ["Host", "Alt-Svc", "Refresh", "Link", "Content-Location", "X-Accel-Redirect", "URI"]
)
def test_no_header_of_an_answer_leads_anywhere(header: str) -> None:
    with Server() as server, Server(TRAP) as trap:
        value = f'h2="{TRAP}:{trap.port}"' if header == "Alt-Svc" else f"{trap.url('/secret')}"
        server.at["/a"] = answer(b"<p>well", headers={header: f"9; url={value}" if header == "Refresh" else value})
        assert fetch(server.url("/a")) == b"<p>well"
        assert fetch(server.url("/a")) == b"<p>well"
        assert trap.connections == 0


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server, Server(TRAP) as trap:
        server.at["/a"] = answer(b"<p>well")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, trap.base)
        assert fetch(server.url("/a")) == b"<p>well"
        assert trap.connections == 0


def test_no_page_and_no_feed_leads_a_crawl_inside(tmp_path: Path) -> None:
    """Links of a front and of a feed, a canonical link, a base, an alternate, frames, pictures, scripts and redirects."""
    story = STORY.format(1)
    with Server() as server, Server(TRAP) as trap:
        there = [
            f"http://{authority}:{trap.port}{STORY.format(n + 10)}" for n, authority in enumerate(AUTHORITIES.values())
        ]
        base = trap.url("/")
        head = (
            f'<link rel="canonical" href="{base}c"><link rel="amphtml" href="{base}amp"><link rel="next" href="{base}?page=2">'
            f'<link rel="alternate" type="application/rss+xml" href="{base}feed"><meta property="og:url" content="{base}og">'
            f'<link rel="dns-prefetch" href="{base}"><link rel="stylesheet" href="{base}style">'
        )
        body = f'<iframe src="{base}f"></iframe><img src="{base}i"><script src="{base}s"></script><form action="{base}p"></form>'
        items = "".join(f"<item><title>Two boats lost in March</title><link>{url}</link></item>" for url in there)
        server.at |= {
            "/": answer(front(story, *there, STORY.format(2)).replace(b"</head>", f"{head}</head>".encode())),
            story: answer(html("Two boats lost", PROSE + body, head)),
            STORY.format(2): moved(there[0]),
            "/feed": answer(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()),
            "/based": answer(
                front("/one/two", "/2026/03/11/a-story-of-the-sea/").replace(
                    b"<body>", f'<base href="{base}"><body>'.encode()
                )
            ),
        }
        sources = 'sources = [{ front = "/" }, { feed = "/feed" }, { front = "/based" }]\n'
        scope = f'scope = ["{TRAP}", "localhost", "inside.example", "0x7f004206", "2130722310"]'
        visit(server, tmp_path / "a", site=sources + scope)
        assert trap.connections == 0
    assert urls(tmp_path / "a") == [story]
