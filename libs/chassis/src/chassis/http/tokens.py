"""The token with which a service calls the others: client credentials at auth, kept until shortly before its end."""

import base64
import time
from typing import TypedDict
from urllib.parse import quote

from pydantic import Field, ValidationError

from chassis.http.client import ServiceClient
from chassis.http.config import ServiceClientConfig
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.messages import UpstreamResponse
from chassis.http.policy import Clock
from chassis.http.single_flight import SingleFlight
from chassis.logs import get_logger
from chassis.schemas import CustomModel

TOKEN_PATH = "/auth/token"  # noqa: S105 - a path
RENEW_BEFORE_SECONDS = 30.0
MIN_AGE_SECONDS = 5.0
"""A younger token is not replaced when refused: a new one would be refused as well, at the cost of two calls each."""

logger = get_logger(__name__)


class GrantedToken(CustomModel):
    """RFC 6749, section 5.1, as far as we read it."""

    access_token: str = Field(min_length=1, max_length=4096)
    expires_in: int = Field(ge=1, le=86400)


class TokenRequest(TypedDict):
    form: dict[str, str]
    headers: dict[str, str]
    idempotent: bool


class TokenCache:
    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._token: str | None = None
        self._fetched_at = self._renew_at = 0.0

    def get(self, *, stale: str | None) -> str | None:
        now = self._clock()
        if self._token is None or now >= self._renew_at:
            return None
        is_refused = self._token == stale and now - self._fetched_at >= MIN_AGE_SECONDS
        return None if is_refused else self._token

    def store(self, granted: GrantedToken) -> str:
        self._fetched_at = self._clock()
        margin = min(RENEW_BEFORE_SECONDS, granted.expires_in / 2)
        self._renew_at = self._fetched_at + granted.expires_in - margin
        self._token = granted.access_token
        return granted.access_token


class ServiceTokenSource:
    """Shared by all clients of a process; concurrent callers cause one request."""

    def __init__(
        self, auth_client: ServiceClient, config: ServiceClientConfig, *, clock: Clock = time.monotonic
    ) -> None:
        self._client = auth_client
        self._config = config
        self._cache = TokenCache(clock)
        self._flight = SingleFlight(auth_client.target, self._fetch_token)

    async def get_token(self, *, stale: str | None = None) -> str:
        """Raises UpstreamUnavailableError when auth is away or refuses our credentials."""
        return self._cache.get(stale=stale) or await self._flight.run()

    async def _fetch_token(self) -> str:
        try:
            response = await self._client.request("POST", TOKEN_PATH, **build_token_request(self._config))
        except UpstreamRejectedError as error:
            raise translate_refusal(error) from error
        return self._cache.store(read_granted_token(response))


def build_token_request(config: ServiceClientConfig) -> TokenRequest:
    # RFC 6749, section 2.3.1: both parts are form-encoded before they become HTTP Basic.
    identity = quote(config.service_client_id, safe="")
    secret = quote(config.service_client_secret.get_secret_value(), safe="")
    credentials = base64.b64encode(f"{identity}:{secret}".encode()).decode()
    return {
        "form": {"grant_type": "client_credentials"},
        "headers": {"Authorization": f"Basic {credentials}"},
        # It changes nothing at auth that a second one would change again.
        "idempotent": True,
    }


def read_granted_token(response: UpstreamResponse) -> GrantedToken:
    try:
        return GrantedToken.model_validate(response.json())
    except ValidationError as error:
        # Not chained: the text of the cause would repeat the token.
        logger.warning("granted_answer_malformed", fields=[item["loc"] for item in error.errors(include_input=False)])
        raise UpstreamUnavailableError(response.target, FailureReason.MALFORMED) from None


def translate_refusal(error: UpstreamRejectedError) -> UpstreamUnavailableError:
    """Our credentials are wrong: whoever waits for a token must not take that 401 for an answer to its own call."""
    logger.error("service_credentials_refused", target=error.target, status=error.status, code=error.code)
    return UpstreamUnavailableError(error.target, FailureReason.CREDENTIALS, status=error.status)
