"""Refresh tokens as text, and what is kept of a device."""

import base64
import hashlib
import hmac
import ipaddress
import secrets

from auth.sessions.constants import USER_AGENT_MAX_LENGTH

IPV4_KEPT_BITS = 24
IPV6_KEPT_BITS = 48


def compute_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


class RefreshChain:
    """Each refresh token leads to one child, which its holder and this secret together can compute again.

    So an answer that was lost is given again, fifty requests at once get the same, and the database, which keeps
    digests alone, holds nothing that anybody could use.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def create_token(self) -> str:
        return secrets.token_urlsafe(32)

    def derive_descendant(self, token: str, generations: int) -> str:
        for _ in range(generations):
            mac = hmac.digest(self._secret, token.encode(), hashlib.sha256)
            token = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        return token


def truncate_address(address: str | None) -> str | None:
    """The network that an address is of: `203.0.113.0/24`, `2001:db8:1::/48`. None for what is no address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = IPV4_KEPT_BITS if parsed.version == ipaddress.IPV4LENGTH // 8 else IPV6_KEPT_BITS
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def shorten_user_agent(text: str | None) -> str | None:
    """Printable and bounded; None where the client says nothing."""
    kept = "".join(char for char in (text or "") if char.isprintable())[:USER_AGENT_MAX_LENGTH].strip()
    return kept or None
