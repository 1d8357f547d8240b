"""RFC 7636, S256: for any verifier there is one challenge, and no other verifier fits it."""

import re
import string

from hypothesis import assume, given
from hypothesis import strategies as st

from auth.codes.constants import CHALLENGE_PATTERN, VERIFIER_PATTERN
from auth.codes.utils import compute_challenge, is_verifier_of

VERIFIERS = st.text(string.ascii_letters + string.digits + "-._~", min_size=43, max_size=128)


class TestChallenge:
    def test_example_of_the_rfc(self) -> None:
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        assert compute_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    @given(VERIFIERS)
    def test_own_verifier_fits(self, verifier: str) -> None:
        challenge = compute_challenge(verifier)
        assert re.fullmatch(CHALLENGE_PATTERN, challenge)
        assert re.fullmatch(VERIFIER_PATTERN, verifier)
        assert is_verifier_of(challenge, verifier)

    @given(VERIFIERS, VERIFIERS)
    def test_no_other_fits(self, verifier: str, other: str) -> None:
        """Not even the challenge itself, as it would by the method `plain`."""
        assume(verifier != other)
        challenge = compute_challenge(verifier)
        assert not is_verifier_of(challenge, other)
        assert not is_verifier_of(challenge, challenge)
