"""The rules of names and passwords, over whatever people may type."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from auth.accounts.utils import normalize_email
from auth.passwords.config import PasswordRulesConfig
from auth.passwords.constants import COMMON_PASSWORDS, PASSWORD_MIN_LENGTH
from auth.passwords.schemas import contains_name
from auth.profiles.constants import RESERVED_USERNAMES
from auth.registrations.schemas import ProfileCreate
from chassis.config import ConfigError, load_config

TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")  # what can be stored at all
WORD = string.ascii_letters + string.digits + "_"
PASSWORD_RULES = (
    "password_repetitive",
    "password_too_common",
    "password_contains_username",
    "password_contains_email",
    "password_contains_context",
)
VALID = {
    "email": "mina@people.example",
    "username": "mina_okafor",
    "password": "Correct-Horse-7-Battery",
    "first_name": "Mina",
    "last_name": "Okafor",
}


def list_errors(**changes: object) -> dict[str, str]:
    """Field and code of what is wrong."""
    try:
        ProfileCreate.model_validate(VALID | changes)
    except ValidationError as error:
        return {str(item["loc"][0]): item["type"] for item in error.errors()}
    return {}


class TestUsername:
    @given(st.text(WORD, min_size=3, max_size=30))
    def test_valid(self, username: str) -> None:
        wrong = {"username": "username_reserved"} if username.lower() in RESERVED_USERNAMES else {}
        assert list_errors(username=username, password="q7-!z-R2") == wrong

    @given(st.text(TEXT, max_size=40))
    def test_nothing_else_gets_through(self, username: str) -> None:
        is_word = re.fullmatch("[A-Za-z0-9_]{3,30}", username) is not None
        is_valid = is_word and username.lower() not in RESERVED_USERNAMES
        assert ("username" not in list_errors(username=username)) == is_valid


class TestPassword:
    @given(st.text(TEXT, min_size=8, max_size=128))
    def test_any_composition_is_taken_to_the_letter(self, password: str) -> None:
        code = list_errors(password=password).get("password")
        assert code in (None, *PASSWORD_RULES)
        if code is None:
            taken = ProfileCreate.model_validate(VALID | {"password": password}).password
            assert taken.get_secret_value() == password

    @given(st.text(TEXT, max_size=200).filter(lambda text: not 8 <= len(text) <= 128))
    def test_length_is_bounded(self, password: str) -> None:
        assert list_errors(password=password) != {}

    @given(st.sampled_from(sorted(COMMON_PASSWORDS)), st.booleans())
    def test_common_ones_are_refused_in_any_case(self, password: str, upper: bool) -> None:
        assert list_errors(password=password.upper() if upper else password) != {}

    def test_common_ones_are_long_enough_to_need_the_list(self) -> None:
        assert len(COMMON_PASSWORDS) > 3_000  # ASVS 5.0, 6.2.4
        assert min(map(len, COMMON_PASSWORDS)) >= PASSWORD_MIN_LENGTH
        assert all(password == password.casefold() for password in COMMON_PASSWORDS)

    @given(st.text(WORD, min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
    def test_name_inside_is_found(self, name: str, before: str, after: str) -> None:
        assert contains_name(f"{before}{name.upper()}{after}".casefold(), name)

    @pytest.mark.parametrize(
        ("variable", "value", "weak", "strong", "code"),
        [
            ("MIN_LENGTH", "15", "q7-!z-R2-x4.kP", "q7-!z-R2-x4.kP9", "password_too_short"),
            ("MIN_SCORE", "3", "summer2031", "q7-!z-R2-x4", "password_too_weak"),
            ("CONTEXT_WORDS", "gazette, Almanac", "My-aLManac-77", "My-Broadsheet-77", "password_contains_context"),
        ],
    )
    def test_rule_that_is_configured(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, weak: str, strong: str, code: str
    ) -> None:
        assert list_errors(password=weak) == {}
        monkeypatch.setenv(f"PASSWORDS_{variable}", value)
        load_config.cache_clear()
        assert list_errors(password=weak) == {"password": code}
        assert list_errors(password=strong) == {}

    @pytest.mark.parametrize(("variable", "value"), [("MIN_LENGTH", "7"), ("MIN_SCORE", "5"), ("CONTEXT_WORDS", "a,b")])
    def test_rule_that_cannot_be(self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
        monkeypatch.setenv(f"PASSWORDS_{variable}", value)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match=f"PASSWORDS_{variable}"):
            load_config(PasswordRulesConfig)

    def test_word_that_is_tried_here_first(self) -> None:
        assert list_errors(password="Broadsheet-1867") == {"password": "password_contains_context"}

    def test_short_name_inside_is_no_matter(self) -> None:
        assert list_errors(username="ada", email="ada@people.example", password="Canada-1867-x") == {}


class TestEmail:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("Mina.Okafor@People.Example", "mina.okafor@people.example"),
            ("mina@bücher.example", "mina@xn--bcher-kva.example"),
            ("mina+news@people.example", "mina+news@people.example"),
        ],
    )
    def test_one_spelling(self, typed: str, stored: str) -> None:
        assert normalize_email(typed) == stored
        assert normalize_email(stored) == stored

    @given(st.text(max_size=300))
    def test_nothing_raises_anything_else(self, text: str) -> None:
        try:
            stored = normalize_email(text)
        except ValueError:
            return
        assert stored.isascii()
        assert stored == stored.lower()
