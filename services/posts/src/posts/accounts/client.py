"""Profiles at auth, for the moments when the projection does not know somebody yet."""

from uuid import UUID

from pydantic import ValidationError

from chassis.http.client import ServiceClient
from chassis.http.exceptions import UpstreamRejectedError, UpstreamUnavailableError
from posts.accounts.exceptions import AccountsUnavailableError
from posts.accounts.schemas import AccountProfile

NOT_FOUND = 404


class AccountsClient:
    """Asks what everybody may ask, so it needs no token."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def get_profile(self, profile_id: UUID) -> AccountProfile | None:
        """Raises AccountsUnavailableError."""
        try:
            return AccountProfile.model_validate(await self._client.get_json(f"/profiles/{profile_id}"))
        except UpstreamRejectedError as error:
            if error.status == NOT_FOUND:
                return None
            raise AccountsUnavailableError from error
        except UpstreamUnavailableError as error:
            raise AccountsUnavailableError(retry_after=error.retry_after or 1) from error
        except ValidationError as error:
            raise AccountsUnavailableError from error
