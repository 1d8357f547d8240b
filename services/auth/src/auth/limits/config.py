from typing import Annotated

from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from auth.limits.constants import LimitRule
from chassis.config import BaseConfig, load_config


def check_rates(rates: str) -> str:
    """Raises ValueError."""
    parse_many(rates)
    return rates


Rates = Annotated[str, Field(max_length=200), AfterValidator(check_rates)]
"""As the library `limits` writes them: `10/15 minutes`, several with a semicolon between."""


class AccountLimitsConfig(BaseConfig):
    """How often somebody may do what changes their own account, or costs us more than a request."""

    model_config = SettingsConfigDict(env_prefix="LIMITS_")

    email_change: Rates = "5/hour;10/day"
    avatar: Rates = "20/hour"
    username_change: Rates = "3/30 days"
    export: Rates = "3/day"


class LimitsConfig(BaseConfig):
    """How often what may be done."""

    model_config = SettingsConfigDict(env_prefix="LIMITS_")

    sign_up: Rates = "20/hour"
    login_address: Rates = "30/5 minutes;1000/day"
    login_account: Rates = "10/15 minutes;50/day"
    login_device: Rates = "10/15 minutes;50/day"
    token: Rates = "60/5 minutes"  # noqa: S105 - a rate
    second_factor: Rates = "10/5 minutes;50/day"
    resend: Rates = "20/hour"
    reset: Rates = "20/hour"
    mail: Rates = "5/hour;15/day"
    confirm: Rates = "30/hour"
    step_up: Rates = "10/15 minutes"
    authorize: Rates = "60/5 minutes"
    introspect: Rates = "600/minute"
    passkey: Rates = "60/5 minutes"

    def get_rates(self, rule: LimitRule) -> list[RateLimitItem]:
        config = self if rule.value in type(self).model_fields else load_config(AccountLimitsConfig)
        return parse_many(getattr(config, rule.value))


class LocalLimitsConfig(BaseConfig):
    """Without Redis each process counts alone, and allows only a share of the rates."""

    model_config = SettingsConfigDict(env_prefix="LIMITS_LOCAL_")

    share: float = Field(default=0.25, gt=0, le=1)
