"""The shape of an address: what addresses made by one rule have in common. Traps are rules without an end."""

import re
import zlib
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

MOST_FOLDERS = 16
MOST_PARAMETERS = 12
MOST_REPEATS = 2
"""How often one folder's name may stand in a path; `/news/local/news/` happens, three times is a link that eats its tail."""
_BETWEEN = re.compile(r"[\W_]+")


def shape(url: str) -> str:
    """What is left of a canonical address without what differs from page to page: path and parameters, no host.

    A folder is `#` with digits, `s` with four words or more (a headline), else `w`; of the first one a checksum of its
    name stays, so that `/events/` and `/news/` are two. One parameter keeps its name; several are `&`, in whatever mixture.
    """
    parts = urlsplit(url)
    folders = [part for part in parts.path.split("/") if part]
    kinds = [_kind(part) for part in folders[:MOST_FOLDERS]]
    if len(kinds) > 1 and kinds[0] == "w":
        kinds[0] = f"{zlib.crc32(folders[0].encode()):08x}"
    names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    query = "" if not names else "?&" if len(names) > 1 else "?" + _kind(next(iter(names)))
    return "/" + "/".join(kinds) + query


def _kind(text: str) -> str:
    if sum(map(str.isalpha, _BETWEEN.split(text))) >= 4 or len(text) > 80:
        return "s"
    return "#" if any(map(str.isdigit, text)) else "w"


def endless(url: str) -> str:
    """Why an address alone is that of a trap: `repeated_folders`, `many_folders` or `many_parameters`; "" if it is not."""
    parts = urlsplit(url)
    folders = [part for part in parts.path.split("/") if part and not part.isdigit()]
    if len(folders) > MOST_FOLDERS:
        return "many_folders"
    if folders and max(Counter(folders).values()) > MOST_REPEATS:
        return "repeated_folders"
    return "many_parameters" if parts.query.count("&") >= MOST_PARAMETERS else ""
