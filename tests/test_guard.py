"""Which machines may be connected to."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import httpx
import pytest

from parsers.errors import AddressRefused
from scraper.fetch.guard import Guard, allowed, public
from scraper.fetch.transport import Transport
from tests.servers import LOOPBACK, Server, answer


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "1.1.1.1"])
def test_public(address: str) -> None:
    assert public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:3f57:fefe",
    ],
)
def test_not_public(address: str) -> None:
    assert not public(ip_address(address))


def test_wrapped_public_addresses_are_public() -> None:
    assert public(ip_address("::ffff:8.8.8.8"))
    assert public(ip_address("64:ff9b::808:808"))


def test_allowed_networks() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    assert allowed(ip_address("10.1.2.3"), networks)
    assert allowed(ip_address("::ffff:10.1.2.3"), networks)
    assert allowed(ip_address("fd00::1"), networks)
    assert not allowed(ip_address("10.2.2.3"), networks)
    assert not allowed(ip_address("::ffff:10.2.2.3"), networks)


class Names:
    """A resolver whose answers are written down; a name asked for again gets its next answer."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = answers
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        turns = self.answers[host.split(".", maxsplit=1)[0]]
        return turns[min(self.asked - 1, len(turns) - 1)]


def find(guard: Guard, host: str) -> list[str]:
    """Where a connection to the host may go."""
    return asyncio.run(guard.addresses(host, 80))


def connect(guard: Guard, url: str) -> str | None:
    """Fetch an address; gives the address connected to."""

    async def run() -> str | None:
        transport = Transport(guard)
        response = await transport.handle_async_request(httpx.Request("GET", url))
        await response.aclose()
        await transport.aclose()
        return response.extensions["ip"]

    return asyncio.run(run())


def test_the_address_checked_is_the_address_connected_to() -> None:
    """DNS rebinding: the second answer for the name is never asked for."""
    with Server() as server:
        names = Names(story=[["127.0.0.1"], ["127.0.0.77"]])
        assert connect(Guard(LOOPBACK, names), server.url("/", "story.example")) == "127.0.0.1"
        assert names.asked == 1


def test_a_private_address_is_refused_in_words() -> None:
    with Server() as server, pytest.raises(AddressRefused) as refused:
        connect(Guard((), Names(inside=[["127.0.0.1"]])), server.url("/", "inside.example"))
    assert server.connections == 0
    words = str(refused.value)
    assert "inside.example" in words
    assert "127.0.0.1" in words
    assert "allow_addresses" in words


SPELLINGS = """
    127.0.0.1 localhost 0x7f000001 2130706433 127.1 0177.0.0.1 0x7f.1 ::1 0 0.0.0.0 127.0.0.1. localhost. 0x7F.0.0.1 ::ffff:127.0.0.1
    ::ffff:7f00:1 64:ff9b::7f00:1 2002:7f00:1:: 169.254.169.254 10.0.0.1 192.168.0.1 fd00::1 fe80::1 ::
""".split()


@pytest.mark.parametrize("host", SPELLINGS)
def test_spellings_of_private_machines(host: str) -> None:
    """Through the system's own resolver: whatever it makes of a spelling is what is checked."""
    with pytest.raises((AddressRefused, OSError)) as refused:
        find(Guard(()), host)
    assert isinstance(refused.value, AddressRefused) or "no address" in str(refused.value)


@pytest.mark.parametrize("host", [*SPELLINGS, "LOCALHOST", "foo.localhost", "0300.0250.1"])
def test_spellings_of_private_machines_that_a_proxy_would_resolve(host: str) -> None:
    with pytest.raises(AddressRefused, match="allow_addresses"):
        Guard(()).check_spelling(host)


@pytest.mark.parametrize(
    "host", ["example.org", "8.8.8.8", "134744072", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "cafe.example", ""]
)
def test_names_that_a_proxy_may_resolve(host: str) -> None:
    Guard(()).check_spelling(host)


def test_a_proxy_may_be_asked_for_allowed_addresses() -> None:
    Guard(LOOPBACK).check_spelling("0x7f.1")
    with pytest.raises(AddressRefused):
        Guard(LOOPBACK).check_spelling("10.0.0.1")


def test_only_the_permitted_addresses_of_a_name_are_tried() -> None:
    names = Names(mixed=[["10.255.255.1", "127.0.0.1", "::1"]])
    assert find(Guard(LOOPBACK, names), "mixed.example") == ["127.0.0.1"]


def test_the_next_address_is_tried_when_one_refuses() -> None:
    with Server("127.0.0.1") as server:
        names = Names(two=[["127.0.0.99", "127.0.0.1"]])
        server.at["/"] = answer(b"x")
        assert connect(Guard(LOOPBACK, names), server.url("/", "two.example")) == "127.0.0.1"


@pytest.mark.parametrize("addresses", [[], ["not an address"]])
def test_names_without_a_usable_address(addresses: list[str]) -> None:
    with pytest.raises(OSError, match=r"nobody\.example"):
        find(Guard((), Names(nobody=[addresses])), "nobody.example")
