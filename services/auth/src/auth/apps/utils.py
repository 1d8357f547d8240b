"""Which redirect URI is one of an app's own."""

import re
from collections.abc import Iterable

_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)")


def is_registered(registered: Iterable[str], requested: str) -> bool:
    """To the letter (RFC 9700, 2.1), but for the port of a loopback address (RFC 8252, 7.3)."""
    uris = set(registered)
    return requested in uris or _without_port(requested) in {_without_port(uri) for uri in uris} - {None}


def _without_port(uri: str) -> str | None:
    """None for what is no loopback address."""
    match = _LOOPBACK.fullmatch(uri)
    return match and match[1] + match[2]
