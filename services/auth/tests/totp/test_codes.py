"""Which codes count at which moment, over all secrets, moments and clocks that are off."""

import base64

import pyotp
import pytest
from cryptography.fernet import InvalidToken
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.mfa.constants import Method
from auth.mfa.utils import RecoveryCodeDigester
from auth.totp.service import CodeTools
from auth.totp.utils import TotpBox, find_step, is_totp_code

STEP = 30
RFC_6238 = base64.b32encode(b"12345678901234567890").decode()

secrets_of_apps = st.binary(min_size=20, max_size=20).map(lambda data: base64.b32encode(data).decode())
moments = st.floats(min_value=1e9, max_value=4e9)


class TestFindStep:
    @pytest.mark.parametrize(
        ("moment", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
    )
    def test_as_the_standard_has_it(self, moment: int, code: str) -> None:
        """RFC 6238, appendix B, of which the last six digits are ours."""
        assert find_step(RFC_6238, code, moment) == moment // STEP

    @given(secret=secrets_of_apps, moment=moments, steps=st.integers(-50, 50))
    def test_one_step_before_and_after(self, secret: str, moment: float, steps: int) -> None:
        app = pyotp.TOTP(secret)
        code = app.at(moment, counter_offset=steps)
        near = {app.at(moment, counter_offset=offset): int(moment) // STEP + offset for offset in (1, 0, -1)}
        assert find_step(secret, code, moment) == near.get(code)
        if abs(steps) <= 1:
            assert find_step(secret, code, moment) is not None

    @given(secret=secrets_of_apps, moment=moments, code=st.text(max_size=10))
    def test_anything_else_is_none(self, secret: str, moment: float, code: str) -> None:
        assume(not is_totp_code(code))
        assert find_step(secret, code, moment) is None


class TestTotpBox:
    def test_opens_only_with_its_key(self) -> None:
        box = TotpBox(b"k" * 32, lambda: 59.0)
        secret, encrypted = box.create_secret()
        assert box.find_step(encrypted, pyotp.TOTP(secret).at(59)) == 1
        with pytest.raises(InvalidToken):
            TotpBox(b"l" * 32).find_step(encrypted, "287082")

    def test_every_secret_is_new(self) -> None:
        box = TotpBox(b"k" * 32)
        assert len({box.create_secret()[0] for _ in range(50)}) == 50


class TestParseCode:
    @pytest.mark.parametrize(
        ("code", "method"),
        [
            ("123456", Method.TOTP),
            (" 123 456 ", Method.TOTP),
            ("12345", Method.RECOVERY_CODE),
            ("12345a", Method.RECOVERY_CODE),
            ("١٢٣٤٥٦", Method.RECOVERY_CODE),
            ("ABCDEF-GHJKMN-PQRSTV-WXYZ01", Method.RECOVERY_CODE),
        ],
    )
    def test_by_its_form(self, code: str, method: Method) -> None:
        proof = CodeTools(TotpBox(b"k" * 32), RecoveryCodeDigester(b"secret")).parse_code(code)
        assert proof.method is method
        assert code not in repr(proof)
