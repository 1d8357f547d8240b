"""Time-based codes (RFC 6238), their secrets at rest, and the picture that an app scans."""

import base64
import time
from collections.abc import Callable

import pyotp
import segno
from cryptography.fernet import Fernet
from pyotp.exceptions import OTPVerificationError

from auth.totp.constants import QR_SCALE, TOTP_DIGITS, TOTP_WINDOW

Clock = Callable[[], float]


class TotpBox:
    """Makes secrets and looks into those at rest: nothing else holds one for longer than a call."""

    def __init__(self, key: bytes, clock: Clock = time.time) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._clock = clock

    def create_secret(self) -> tuple[str, bytes]:
        """For the app, and encrypted."""
        secret = pyotp.random_base32()
        return secret, self._fernet.encrypt(secret.encode())

    def find_step(self, encrypted: bytes, code: str) -> int | None:
        """The time step that the code belongs to; None for a code of no step that counts now."""
        return find_step(self._fernet.decrypt(encrypted).decode(), code, self._clock())


def find_step(secret: str, code: str, moment: float) -> int | None:
    totp = pyotp.TOTP(secret, digits=TOTP_DIGITS)
    try:
        return totp.verify_and_get_timecode(code, for_time=moment, valid_window=TOTP_WINDOW)
    except OTPVerificationError:
        return None


def is_totp_code(code: str) -> bool:
    return len(code) == TOTP_DIGITS and code.isascii() and code.isdigit()


def build_uri(secret: str, account: str, issuer: str) -> str:
    """`otpauth://`, which authenticator apps understand."""
    return pyotp.TOTP(secret, digits=TOTP_DIGITS).provisioning_uri(name=account, issuer_name=issuer)


def draw_qr_code(uri: str) -> str:
    """An SVG as a `data:` URI, for the `src` of an image."""
    return segno.make_qr(uri).svg_data_uri(scale=QR_SCALE)
