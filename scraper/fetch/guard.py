"""Which machines may be connected to: public ones, and those that `allow_addresses` names.

The check is made on the address a connection is opened to, after the name was resolved, and the connection goes to that
very address. A name that changes its address in between (DNS rebinding), an address in hex or decimal, or one IPv4
address wrapped in IPv6 meets the same check.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from parsers.errors import AddressRefused
from scraper.fetch.words import plain

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def public(address: Address) -> bool:
    """Is this an address of the public internet? IPv4 within IPv6 (mapped, 6to4, Teredo, NAT64) counts as IPv4."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return public(inner)
        return address in _GLOBAL_UNICAST and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def allowed(address: Address, allow: Iterable[IPv4Network | IPv6Network]) -> bool:
    """May we connect there? `allow`: networks that may be fetched although they are private."""
    inner = _inner(address) if isinstance(address, IPv6Address) else None
    return public(address) or any(one in network for network in allow for one in (address, inner) if one is not None)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system gives them. Raises OSError."""
    with suppress(ValueError):
        return (str(ip_address(host)),)
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Sequence[str]] = loop.create_future()

    def answer(names: Sequence[str], error: Exception | None) -> None:
        if found.cancelled():
            return
        if error is None:
            found.set_result(names)
        else:
            found.set_exception(error)

    def ask() -> None:
        names: Sequence[str] = ()
        problem = None
        try:
            items = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            names = tuple(dict.fromkeys(str(item[4][0]) for item in items))
        except (OSError, UnicodeError) as error:
            problem = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(answer, names, problem)

    # Not in the loop's own threads: Python would not end before they do, and a name server may take half a minute.
    threading.Thread(target=ask, daemon=True).start()
    return await found


class Guard:
    """Says where a connection may go. `allow`: networks that may be fetched although they are private."""

    def __init__(self, allow: Sequence[IPv4Network | IPv6Network], resolver: Resolver = resolve) -> None:
        self._allow = tuple(allow)
        self._resolver = resolver

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to; connections go to these, never to the name.

        Raises OSError if it has none, AddressRefused if none of them may be.
        """
        try:
            found = [ip_address(text) for text in await self._resolver(host, port)]
        except (OSError, ValueError) as error:
            raise OSError(f"the name {plain(host)} has no address ({plain(str(error))})") from error
        if not found:
            raise OSError(f"the name {plain(host)} has no address")
        checked = [str(address) for address in found if allowed(address, self._allow)]
        if not checked:
            raise _refusal(host, found)
        return checked

    def check_spelling(self, host: str) -> None:
        """What can be said of a host that a proxy will resolve. Raises AddressRefused for this machine and private addresses."""
        name = host.rstrip(".").lower()
        try:
            # As resolvers read it: in hex, in octal, in fewer than four parts.
            address = ip_address(name) if ":" in name else IPv4Address(socket.inet_aton(name))
        except (OSError, ValueError):
            if name == "localhost" or name.endswith(".localhost"):
                address = IPv4Address("127.0.0.1")
            else:
                return
        if not allowed(address, self._allow):
            raise _refusal(host, [address])


def _refusal(host: str, found: Sequence[Address]) -> AddressRefused:
    shown = ", ".join(map(str, found[:4]))
    return AddressRefused(
        f"{plain(host)} is not fetched: its address {shown} is not on the public internet",
        cause="pages must not lead a crawl into a private network",
        next=f'if it is yours, add  allow_addresses = ["{found[0]}"]  to [crawl]',
    )
