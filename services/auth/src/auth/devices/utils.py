"""The token that a device is known by, and the name that its owner knows it by."""

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

import ua_parser

from auth.devices.constants import MAC_BYTES, NAME_MAX_LENGTH, UNKNOWN_NAME

ID_BYTES = 16  # with the proof 32, which is 43 characters and one of padding

ua_parser.parse("")  # builds the rules, a tenth of a second of work: not in the first login


class DeviceSigner:
    """A token holds the device's id, and the proof that we gave it: whoever reads the database cannot make one."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def create_id(self) -> UUID:
        return UUID(bytes=secrets.token_bytes(ID_BYTES), version=4)

    def create_token(self, device_id: UUID) -> str:
        return base64.urlsafe_b64encode(device_id.bytes + self._compute_mac(device_id.bytes)).decode().rstrip("=")

    def read_token(self, token: str | None) -> UUID | None:
        """None for what is no token of ours."""
        try:
            data = base64.b64decode(f"{token or ''}=".encode("ascii"), b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        device, mac = data[:ID_BYTES], data[ID_BYTES:]
        return UUID(bytes=device) if hmac.compare_digest(mac, self._compute_mac(device)) else None

    def _compute_mac(self, device: bytes) -> bytes:
        return hmac.digest(self._secret, device, hashlib.sha256)[:MAC_BYTES]


def describe_device(user_agent: str | None) -> str:
    """Such as `Firefox on Linux`; of an app its own name."""
    parsed = ua_parser.parse(user_agent or "")
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    if not browser:
        # `Reader/1.2 (something)`: the app's name, if it is one.
        first = (user_agent or "").partition("/")[0].strip()
        browser = first if first.isascii() and first.replace(" ", "").isalnum() else ""
    name = " on ".join(part for part in (browser, system) if part)
    return name[:NAME_MAX_LENGTH] or UNKNOWN_NAME
