from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_core import PydanticCustomError
from zxcvbn import zxcvbn

from auth.passwords import config
from auth.passwords.constants import (
    COMMON_PASSWORDS,
    CONTAINED_MIN_LENGTH,
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    SCORED_LENGTH,
)
from chassis.config import load_config

Password = Annotated[SecretStr, Field(min_length=PASSWORD_MIN_LENGTH, max_length=PASSWORD_MAX_LENGTH)]


def check_password_rules(password: SecretStr, *, username: str, email: str) -> SecretStr:
    """Each rule is a ValueError with a code of its own; none of them repeats the password."""
    rules = load_config(config.PasswordRulesConfig)
    text = password.get_secret_value().casefold()
    if len(password) < rules.min_length:
        raise PydanticCustomError(
            "password_too_short", "The password has fewer than {least} characters", {"least": rules.min_length}
        )
    if len(set(text)) == 1:
        raise PydanticCustomError("password_repetitive", "The password is one character repeated")
    if text in COMMON_PASSWORDS:
        raise PydanticCustomError("password_too_common", "The password is one of the most common ones")
    if contains_name(text, username):
        raise PydanticCustomError("password_contains_username", "The password contains the username")
    if contains_name(text, email):
        raise PydanticCustomError("password_contains_email", "The password contains the e-mail address")
    if any(word in text for word in rules.forbidden_words):
        raise PydanticCustomError("password_contains_context", "The password contains a word that is tried here first")
    if rules.min_score and zxcvbn(password.get_secret_value()[:SCORED_LENGTH])["score"] < rules.min_score:
        raise PydanticCustomError("password_too_weak", "The password is too easy to guess")
    return password


def contains_name(password: str, name: str) -> bool:
    """Whether a name, or an address in whole or up to its @, stands in a password, whatever its case."""
    part = name.partition("@")[0].casefold()
    return len(part) >= CONTAINED_MIN_LENGTH and part in password
