"""Which machines may be connected to: public ones, and those that `allow_addresses` names.

The check is made on the address a connection is opened to, after the name was resolved, and the connection goes to that
very address. A name that changes its address in between (DNS rebinding), an address in hex or decimal, or one IPv4
address wrapped in IPv6 meets the same check.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpcore

from parsers.errors import AddressRefused
from scraper.fetch.words import plain

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
CONNECT_SECONDS = 10.0
"""For one address of a host, so that one dead address does not use up the deadline of the others."""

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
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(item[4][0]) for item in found))


class GuardedBackend(httpcore.AnyIOBackend):
    """Opens connections, only to addresses that may be fetched."""

    def __init__(self, allow: Sequence[IPv4Network | IPv6Network], resolver: Resolver = resolve) -> None:
        self._allow = tuple(allow)
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve once, check, connect to what was checked. Raises AddressRefused if no address of the host may be."""
        try:
            found = [ip_address(text) for text in await self._resolver(host, port)]
        except (OSError, ValueError) as error:
            raise httpcore.ConnectError(f"the name {plain(host)} has no address ({plain(str(error))})") from error
        checked = [address for address in found if allowed(address, self._allow)]
        if found and not checked:
            shown = ", ".join(map(str, found[:4]))
            raise AddressRefused(
                f"{plain(host)} is not fetched: its address {shown} is not on the public internet",
                cause="pages must not lead a crawl into a private network",
                next=f'if it is yours, add  allow_addresses = ["{found[0]}"]  to [crawl]',
            )
        failure: Exception = httpcore.ConnectError(f"the name {plain(host)} has no address")
        for address in checked:
            try:
                return await super().connect_tcp(
                    str(address), port, timeout or CONNECT_SECONDS, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
