"""The rules of what people say about themselves, over whatever they may send."""

import re
import string
import unicodedata
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import langcodes
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from auth.accounts.schemas import ProfileUpdate
from auth.profiles.constants import RESERVED_USERNAMES, TIME_ZONES, WEBSITE_MAX_LENGTH

WORD = string.ascii_letters + string.digits + "_"
TEXT = st.text(max_size=120)
HOSTS = st.from_regex(r"[a-z]{1,10}\.[a-z]{2,6}", fullmatch=True)
TAGS = st.from_regex(r"[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-[a-zA-Z]{2})?", fullmatch=True)
# White space around a name is cut off, as everywhere.
FOREIGN = st.characters(min_codepoint=128, exclude_categories=["Zs", "Zl", "Zp", "Cc"])
TURNING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def take(**fields: Any) -> dict[str, Any] | None:
    """What is kept of the fields, None where one is refused."""
    try:
        return ProfileUpdate.model_validate(fields).model_dump(include=set(fields))
    except ValidationError:
        return None


class TestUsername:
    @given(st.text(WORD, min_size=3, max_size=30))
    def test_case_makes_no_other_name(self, username: str) -> None:
        """Names are ASCII: Python and PostgreSQL fold them alike, and no other letter folds into them."""
        assert {username.lower(), username.upper().lower(), username.casefold()} == {username.lower()}
        wanted = None if username.lower() in RESERVED_USERNAMES else {"username": username}
        assert take(username=username) == wanted

    @given(st.sampled_from(sorted(RESERVED_USERNAMES)), st.data())
    def test_reserved_in_any_case(self, name: str, data: st.DataObject) -> None:
        spelled = "".join(data.draw(st.sampled_from((letter, letter.upper()))) for letter in name)
        assert take(username=spelled) is None

    @given(st.text(WORD, min_size=2, max_size=29), FOREIGN, st.integers(0, 29))
    def test_nothing_that_looks_like_another_name(self, name: str, character: str, place: int) -> None:
        """Neither the Cyrillic a, nor the full-width one, nor anything that is not seen."""
        assert take(username=f"{name[:place]}{character}{name[place:]}") is None

    def test_reserves_what_mail_and_pages_of_ours_are_called(self) -> None:
        names = {"admin", "root", "support", "api", "www", "auth", "me", "postmaster", "abuse", "hostmaster"}
        assert names <= RESERVED_USERNAMES
        assert {name.lower() for name in RESERVED_USERNAMES} == RESERVED_USERNAMES


class TestTexts:
    @given(TEXT)
    def test_kept_text_is_clean_and_stays_the_same(self, text: str) -> None:
        for field in ("first_name", "bio"):
            kept = take(**{field: text})
            if kept is None:
                continue
            value = kept[field]
            assert value == unicodedata.normalize("NFC", value)
            assert not TURNING.search(value)
            assert value == value.strip()
            assert take(**{field: value}) == kept

    @given(st.text(st.characters(categories=["L", "N"], max_codepoint=0x2FFF), min_size=1, max_size=30))
    def test_two_forms_of_one_text_are_one(self, text: str) -> None:
        forms = [take(first_name=unicodedata.normalize(form, text)) for form in ("NFC", "NFD")]
        assert forms[0] is not None
        assert forms[0] == forms[1]

    @given(st.text(st.characters(categories=["Cf", "Zs", "Mn"]), min_size=1, max_size=20))
    def test_no_name_without_anything_to_see(self, name: str) -> None:
        assert take(first_name=name) is None


class TestWebsite:
    @given(st.sampled_from(["http", "https", "HTTPS"]), HOSTS, st.text(max_size=80))
    def test_kept_one_is_a_plain_web_address(self, scheme: str, host: str, path: str) -> None:
        kept = take(website=f"{scheme}://{host}/{path}")
        assume(kept is not None)
        assert kept is not None
        url = kept["website"]
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname, parts.username) == (scheme.lower(), host, None)
        assert url.isascii()
        assert len(url) <= WEBSITE_MAX_LENGTH
        assert take(website=url) == kept

    @given(TEXT)
    def test_nothing_else_gets_through(self, text: str) -> None:
        kept = take(website=text)
        assert kept is None or kept["website"].startswith(("http://", "https://"))


class TestLanguage:
    @given(TAGS | TEXT)
    def test_kept_one_is_valid_and_stays_the_same(self, tag: str) -> None:
        kept = take(language=tag)
        if kept is not None:
            assert langcodes.tag_is_valid(kept["language"])
            assert take(language=kept["language"]) == kept


class TestTimeZone:
    @given(st.sampled_from(sorted(TIME_ZONES)))
    def test_known_ones_can_be_used(self, name: str) -> None:
        assert take(time_zone=name) == {"time_zone": name}
        assert ZoneInfo(name).key == name

    @given(TEXT)
    def test_nothing_else_gets_through(self, text: str) -> None:
        assert (take(time_zone=text) is not None) == (text.strip() in TIME_ZONES)
