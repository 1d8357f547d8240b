"""Whatever comes in place of what an authenticator makes: it is refused, and nothing breaks."""

import copy
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from auth.passkeys.schemas import AssertionInput, RegistrationInput
from auth.passkeys.utils import (
    RelyingParty,
    build_authentication_options,
    build_registration_options,
    read_client_data,
    verify_assertion,
    verify_registration,
)
from chassis.testing.authenticator import SoftAuthenticator, decode, encode, encode_key

Json = dict[str, Any]

RP = RelyingParty("broadsheet.example", "Broadsheet", ("https://broadsheet.example",))
CHALLENGE = b"c" * 32
AUTHENTICATOR = SoftAuthenticator("https://broadsheet.example")
REGISTRATION = AUTHENTICATOR.create(
    build_registration_options(RP, CHALLENGE, UUID(int=1), name="m", display_name="m", known=()).model_dump(
        mode="json", by_alias=True
    )
)
ASSERTION = AUTHENTICATOR.get(build_authentication_options(RP, CHALLENGE).model_dump(mode="json", by_alias=True))
PUBLIC_KEY = encode_key(AUTHENTICATOR.credentials[0].key)

edits = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=12)), min_size=1, max_size=4
)  # where, how many bytes go, and what comes in their place


def damage(credential: Json, part: str, changes: list[tuple[int, int, bytes]]) -> Json:
    damaged = copy.deepcopy(credential)
    data = decode(damaged["response"][part])
    for place, length, new in changes:
        start = place % (len(data) + 1)
        data = data[:start] + new + data[start + length :]
    damaged["response"][part] = encode(data or b"x")
    return damaged


class TestUndamaged:
    """What the properties below start from holds."""

    def test_valid(self) -> None:
        assert verify_registration(RP, RegistrationInput.model_validate(REGISTRATION), CHALLENGE) is not None
        assert verify_assertion(RP, AssertionInput.model_validate(ASSERTION), CHALLENGE, PUBLIC_KEY) is not None


class TestDamaged:
    @settings(max_examples=300, deadline=None)
    @given(part=st.sampled_from(["authenticatorData", "signature", "clientDataJSON"]), changes=edits)
    def test_assertion(self, part: str, changes: list[tuple[int, int, bytes]]) -> None:
        """Signed is every byte."""
        damaged = damage(ASSERTION, part, changes)
        verified = verify_assertion(RP, AssertionInput.model_validate(damaged), CHALLENGE, PUBLIC_KEY)
        assert verified is None or damaged == ASSERTION

    @settings(max_examples=300, deadline=None)
    @given(part=st.sampled_from(["attestationObject", "clientDataJSON"]), changes=edits)
    def test_registration(self, part: str, changes: list[tuple[int, int, bytes]]) -> None:
        """Not signed: what still reads well is another new key. It breaks nothing, and is bound to this page alone."""
        damaged = RegistrationInput.model_validate(damage(REGISTRATION, part, changes))
        if verify_registration(RP, damaged, CHALLENGE) is not None:
            data = read_client_data(damaged.response.client_data_json)
            assert data is None or (data.origin, data.challenge) == (RP.origins[0], CHALLENGE)

    @settings(max_examples=300, deadline=None)
    @given(data=st.binary(min_size=1, max_size=200))
    def test_client_data_of_any_bytes(self, data: bytes) -> None:
        assert read_client_data(encode(data)) is None

    @settings(max_examples=200, deadline=None)
    @given(data=st.binary(min_size=1, max_size=40))
    def test_any_id(self, data: bytes) -> None:
        """It is not signed: the key that it leads to decides. It means one thing alone."""
        damaged = ASSERTION | {"id": encode(data), "rawId": encode(data)}
        verified = verify_assertion(RP, AssertionInput.model_validate(damaged), CHALLENGE, PUBLIC_KEY)
        assert verified is not None
        assert verified.credential_id == data

    @settings(max_examples=200, deadline=None)
    @given(text=st.from_regex(r"\A[A-Za-z0-9_-]{1,40}\Z"))
    def test_id_of_any_text(self, text: str) -> None:
        """No text that another would be read as the same as."""
        damaged = ASSERTION | {"id": text, "rawId": text}
        try:
            assertion = AssertionInput.model_validate(damaged)
        except ValidationError:
            return
        verified = verify_assertion(RP, assertion, CHALLENGE, PUBLIC_KEY)
        assert verified is None or encode(verified.credential_id) == text
