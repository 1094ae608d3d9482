"""The one tree of errors.

::

    NewsmorgueError                 1
    ├── UsageError                  2   a flag, an address or a folder that cannot be used
    │   └── SettingsError           2   newsmorgue.toml or the environment says something impossible
    ├── FetchError                  1   an address could not be fetched
    │   ├── RobotsDenied            1   robots.txt forbids it
    │   ├── AddressRefused          1   outside the scope, a private network, or not http(s)
    │   ├── HostHeld                1   the host asked us to come back later (429, 503, robots.txt unreachable)
    │   ├── ConnectionFailed        1   no connection, TLS refused, reset
    │   ├── DeadlineExceeded        1   not complete within the deadline
    │   ├── BadResponse             1   not HTTP, a bad redirect, an undecodable body
    │   └── TooLarge                1   more decoded bytes than `max_bytes`
    ├── ParseError                  1   a page could not be read
    │   └── NoLayoutFits            1   a known site no longer looks like any of its layouts
    ├── ArchiveError                1   the archive cannot do what was asked
    │   ├── ArchiveLocked          75   another run writes to it
    │   ├── ArchiveDamaged          4   bytes or rows are not what was written
    │   └── SchemaTooNew            2   written by a later edition
    ├── PartlyFailed                3   some sites failed, others did not
    └── Interrupted               130   stopped by the user; can be resumed

The number is the exit code. Errors carry words (an address, a site, a field), never objects of upper rooms.
Each says what happened, why, and what to do next.
"""

from typing import ClassVar


class NewsmorgueError(Exception):
    """Root of all our errors.

    `what` names the thing and what went wrong with it, `cause` says why, `next` is the next step (a command or a
    setting). `str()` gives all of them, one a line.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, cause: str = "", next: str = "") -> None:  # noqa: A002 - the word users read
        super().__init__(what)
        self.what = what
        self.cause = cause
        self.next = next

    def __str__(self) -> str:
        lines = [self.what]
        if self.cause:
            lines.append(f"  {self.cause}")
        if self.next:
            lines.append(f"  next: {self.next}")
        return "\n".join(lines)


class UsageError(NewsmorgueError):
    """A flag, an address or a folder that cannot be used."""

    exit_code = 2


class SettingsError(UsageError):
    """newsmorgue.toml, the environment or a flag says something impossible."""


class FetchError(NewsmorgueError):
    """An address could not be fetched. `url` is the address asked for, `status` the last HTTP status or None.

    `tries` counts the requests sent. `retry_at` (aware UTC datetime) is set when the other side, or our own backoff,
    says when to come again.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self,
        what: str,
        *,
        cause: str = "",
        next: str = "",  # noqa: A002
        url: str = "",
        status: int | None = None,
        tries: int = 0,
    ) -> None:
        super().__init__(what, cause=cause, next=next)
        self.url = url
        self.status = status
        self.tries = tries

    @property
    def kind(self) -> str:
        """Short stable word for tables and counts: the class's name in snake case."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class RobotsDenied(FetchError):
    """robots.txt forbids this address to our agent (RFC 9309)."""


class AddressRefused(FetchError):
    """Outside the crawl's scope, on a private network, or not http(s)."""


class HostHeld(FetchError):
    """The host asked us to come back later. `seconds` from now says when.

    `alone`: only this address is put off; others of its host may be asked. `origin`: only addresses that begin so are
    concerned ("" means the whole host).
    """

    def __init__(
        self,
        what: str,
        *,
        seconds: float,
        cause: str = "",
        next: str = "",  # noqa: A002
        url: str = "",
        status: int | None = None,
        tries: int = 0,
        alone: bool = False,
        origin: str = "",
    ) -> None:
        super().__init__(what, cause=cause, next=next, url=url, status=status, tries=tries)
        self.seconds = seconds
        self.alone = alone
        self.origin = origin


class ConnectionFailed(FetchError):
    """No connection, TLS refused, or the connection was reset."""

    retryable = True


class DeadlineExceeded(FetchError):
    """Not complete within the deadline (connect to last byte)."""


class BadResponse(FetchError):
    """Not HTTP, a redirect that leads nowhere, or a body that cannot be decoded."""


class TooLarge(FetchError):
    """More decoded bytes than `max_bytes`."""


class ParseError(NewsmorgueError):
    """A page could not be read."""


class NoLayoutFits(ParseError):
    """A known site no longer looks like any of its layouts: redesigned, or the wrong parser."""


class ArchiveError(NewsmorgueError):
    """The archive cannot do what was asked."""


class ArchiveLocked(ArchiveError):
    """Another run writes to this archive."""

    exit_code = 75


class ArchiveDamaged(ArchiveError):
    """Bytes or rows are not what was written."""

    exit_code = 4


class SchemaTooNew(ArchiveError):
    """The archive was written by a later edition of newsmorgue."""

    exit_code = 2


class PartlyFailed(NewsmorgueError):
    """Some sites failed, others did not."""

    exit_code = 3


class Interrupted(NewsmorgueError):
    """Stopped by the user; the next run goes on where this one stopped."""

    exit_code = 130
